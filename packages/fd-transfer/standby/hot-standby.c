// SPDX-License-Identifier: Apache-2.0
// What the empty side of a hot pair needs, in one static file:
//
//   pause    the empty container itself: waits, and ends at once on TERM or INT, also as PID 1
//   probe    the exec readinessProbe: asks the process of this very container whether it is ready
//   migrate  the postStart hook: waits until this container has taken over, never longer than its timeout
//
// Always holds: `probe` says yes for a newer side only if its own process said so; `migrate` ends by itself; the empty
// side and a restarted older side are never held up. Only file descriptors and the clock are used: no heap, no stdio.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { YES = 0, NO = 1, USAGE = 2, SILENT = 3 };  // SILENT: no answer before the deadline
enum { ANSWER_LIMIT = 4096, PROBE_MS = 1000, POLL_MS = 20, NAME_LIMIT = 63 };

static const char usage[] =
    "usage: hot-standby pause                              wait for TERM or INT (the empty container)\n"
    "       hot-standby probe   [WHERE]                    exit 0 if this container is ready, else 1\n"
    "       hot-standby migrate [WHERE] [--timeout SECS]   wait until this container has taken over (60 s)\n"
    "\n"
    "WHERE is the directory of the hand-off: --dir DIR, else $HOT_DIR, else --name NAME (/dev/shm/NAME.hot), else\n"
    "/dev/shm/hot. It is the program's own if both have the same HOT_DIR, or the same name: --name NAME here and\n"
    "HotHandoff.open({ name: NAME }) there.\n"
    "The version is $SIDECARSET_VERSION, the other container's is $SIDECARSET_VERSION_ALT; 0 or empty = none. Without\n"
    "a version this is the empty container: probe and migrate say yes at once and ask nobody.\n";

// The directory, and what named it.
struct where {
  const char *dir;
  const char *from;
  struct sockaddr_un address;
};

// Writes these strings in one go; the list ends with NULL.
static void say(int fd, const char *const *parts) {
  struct iovec list[16];
  int count = 0;
  for (; parts[count] != NULL && count < 16; count++) {
    list[count] = (struct iovec){(void *)parts[count], strlen(parts[count])};
  }
  if (writev(fd, list, count) < 0) return;  // nobody reads it: nothing to be done
}
#define SAY(fd, ...) say(fd, (const char *const[]){__VA_ARGS__, NULL})

static int wrong(const char *what, const char *value) {
  SAY(STDERR_FILENO, "hot-standby: ", what, value, "\n\n", usage);
  return USAGE;
}

static long long now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static void sleep_ms(long ms) {
  const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&time, NULL);
}

static bool is_decimal(const char *text) { return *text != '\0' && strspn(text, "0123456789") == strlen(text); }

// The version in this variable without leading zeros; "0" if it is unset, empty or zero; NULL if it is no number.
static const char *version_in(const char *variable) {
  const char *text = getenv(variable);
  if (text == NULL || *text == '\0') return "0";
  if (!is_decimal(text)) return NULL;
  text += strspn(text, "0");
  return *text == '\0' ? "0" : text;
}

// Decimal order without a limit: longer is greater, then text decides.
static bool is_less(const char *left, const char *right) {
  const size_t a = strlen(left);
  const size_t b = strlen(right);
  return a != b ? a < b : strcmp(left, right) < 0;
}

// The names that HotHandoff.open takes: 1 to 63 of letters, digits, dot, dash, underscore, the first a letter or digit.
static bool is_name(const char *text) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  const size_t length = strlen(text);
  return length >= 1 && length <= NAME_LIMIT && strspn(text, letters) == length && strchr("_.-", *text) == NULL;
}

static bool wait_for(int fd, short events, long long deadline) {
  for (;;) {
    const long long left = deadline - now_ms();
    struct pollfd one = {fd, events, 0};
    const int result = poll(&one, 1, left > 0 ? (int)left : 0);
    if (result > 0) return true;
    if (result == 0 || errno != EINTR) return false;
  }
}

static int refuse(char *answer, const char *reason) {
  strcpy(answer, reason);
  return NO;
}

static int silent(char *answer, const char *reason) {
  strcpy(answer, reason);
  return SILENT;
}

// One question on a connected or connecting socket. The sentence of the answer, or why there is none, is in `answer`.
static int ask_on(int fd, const struct sockaddr_un *address, long long deadline, char *answer) {
  while (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0) {
    // EAGAIN: more questions are waiting than the process takes in; that is no answer yet.
    if (errno != EINTR && errno != EAGAIN) return refuse(answer, strerror(errno));
    if (now_ms() >= deadline) return silent(answer, "the process takes no question in");
    sleep_ms(1);
  }
  for (;;) {
    const ssize_t size = recv(fd, answer, ANSWER_LIMIT, MSG_DONTWAIT);
    if (size > 0) {
      const char verdict = answer[0];
      memmove(answer, answer + 1, (size_t)size - 1);
      answer[size - 1] = '\0';
      if (verdict == '+') return YES;
      return verdict == '-' ? NO : refuse(answer, "an answer that begins with neither + nor -");
    }
    if (size == 0) return refuse(answer, "the process closed without an answer");
    if (errno != EINTR && errno != EAGAIN) return refuse(answer, strerror(errno));
    if (!wait_for(fd, POLLIN, deadline)) return silent(answer, "the process does not answer");
  }
}

static int ask(const struct sockaddr_un *address, long long deadline, char *answer) {
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return refuse(answer, strerror(errno));
  const int result = ask_on(fd, address, deadline, answer);
  close(fd);
  return result;
}

// Signals are blocked first and then waited for: a blocked signal is kept even for PID 1, which ignores others.
static int pause_until_told(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, NULL);
  while (sigwaitinfo(&set, NULL) < 0) continue;
  return 0;
}

// No socket there: the program has not started, or looks elsewhere.
static bool is_missing(const char *answer) { return strcmp(answer, strerror(ENOENT)) == 0; }

static const char fix_missing[] =
    "\n  fix: if the program has started, it uses another directory: set HOT_DIR for the container, or give\n"
    "       --name NAME here and open({ name: NAME }) there\n";

static int probe(const struct where *where) {
  char answer[ANSWER_LIMIT + 1];
  const int result = ask(&where->address, now_ms() + PROBE_MS, answer);
  if (result == YES) {
    SAY(STDOUT_FILENO, answer, "\n");
  } else {
    SAY(STDERR_FILENO, where->address.sun_path, ": ", answer, "\n");
    if (is_missing(answer)) SAY(STDERR_FILENO, "  directory: ", where->dir, " (", where->from, ")", fix_missing);
  }
  return result == YES ? YES : NO;
}

static int migrate(const struct where *where, const char *version, const char *seconds) {
  char answer[ANSWER_LIMIT + 1];
  char why[ANSWER_LIMIT + 1] = "";
  const long long end = now_ms() + atoll(seconds) * 1000;
  for (;;) {
    const long long limit = now_ms() + PROBE_MS;
    const int result = ask(&where->address, limit < end ? limit : end, answer);
    if (result == YES) {
      SAY(STDOUT_FILENO, answer, "\n");
      return YES;
    }
    // A question that our own end cuts short says nothing about the process: the reason is what it said before.
    if (result == NO || limit <= end || why[0] == '\0') strcpy(why, answer);
    if (now_ms() >= end) break;
    sleep_ms(POLL_MS);
  }
  SAY(STDERR_FILENO, "hot-standby: version ", version, " has not taken over within ", seconds, " s\n  where: ",
      where->address.sun_path, "\n  directory: ", where->dir, " (", where->from, ")\n  why: ", why,
      is_missing(why) ? fix_missing : "\n  fix: read the log of this container; until it has taken over the other serves\n");
  return NO;
}

int main(int count, char **arguments) {
  if (count < 2) return wrong("no mode", "");
  const char *mode = arguments[1];
  if (strcmp(mode, "--help") == 0) return SAY(STDOUT_FILENO, usage), 0;
  const bool pausing = strcmp(mode, "pause") == 0;
  const bool migrating = strcmp(mode, "migrate") == 0;
  if (!pausing && !migrating && strcmp(mode, "probe") != 0) return wrong("unknown mode ", mode);

  const char *dir = NULL;
  const char *name = NULL;
  const char *seconds = "60";
  for (int index = 2; index < count; index += 2) {
    const char *option = arguments[index];
    const char *value = index + 1 < count ? arguments[index + 1] : NULL;
    if (!pausing && strcmp(option, "--dir") == 0) {
      if (value == NULL || *value == '\0') return wrong("--dir needs a folder", "");
      dir = value;
    } else if (!pausing && strcmp(option, "--name") == 0) {
      if (value == NULL || !is_name(value)) return wrong("--name needs the name that HotHandoff.open gets", "");
      name = value;
    } else if (migrating && strcmp(option, "--timeout") == 0) {
      if (value == NULL || !is_decimal(value) || strlen(value) > 6) return wrong("--timeout needs whole seconds", "");
      seconds = value;
    } else {
      return wrong("unknown option ", option);
    }
  }
  if (pausing) return pause_until_told();

  // The order of HotHandoff.open, so that the same name and environment lead to the same directory.
  struct where where = {.dir = dir, .from = "--dir", .address = {.sun_family = AF_UNIX}};
  const char *hot_dir = getenv("HOT_DIR");
  char named[sizeof "/dev/shm/.hot" + NAME_LIMIT];
  if (where.dir == NULL && hot_dir != NULL && *hot_dir != '\0') {
    where.dir = hot_dir;
    where.from = "$HOT_DIR";
  } else if (where.dir == NULL && name != NULL) {
    strcat(strcat(strcpy(named, "/dev/shm/"), name), ".hot");
    where.dir = named;
    where.from = "--name";
  } else if (where.dir == NULL) {
    where.dir = "/dev/shm/hot";
    where.from = "the default";
  }

  const char *version = version_in("SIDECARSET_VERSION");
  const char *other = version_in("SIDECARSET_VERSION_ALT");
  if (version == NULL) return wrong("SIDECARSET_VERSION is no decimal number: ", getenv("SIDECARSET_VERSION"));
  if (other == NULL) return wrong("SIDECARSET_VERSION_ALT is no decimal number: ", getenv("SIDECARSET_VERSION_ALT"));
  if (strcmp(version, "0") == 0) return 0;  // the empty side is always fine
  if (migrating && (strcmp(other, "0") == 0 || is_less(version, other))) return 0;  // nothing to take over

  const char *const path[] = {where.dir, "/probe.", version, ".sock"};
  size_t length = 0;
  for (size_t part = 0; part < 4; part++) {
    const size_t size = strlen(path[part]);
    if (length + size >= sizeof where.address.sun_path) return wrong("the probe socket's path is too long: ", where.dir);
    memcpy(where.address.sun_path + length, path[part], size);
    length += size;
  }
  return migrating ? migrate(&where, version, seconds) : probe(&where);
}
