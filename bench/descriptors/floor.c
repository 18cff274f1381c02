/* SPDX-License-Identifier: Apache-2.0 */
/* floor COUNT RUNS: milliseconds of each run in which one process passes so many UDP sockets to another, 240 in a
 * message with 40 bytes for each, every message acknowledged. What no program can be faster than. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 240, ITEM = 40 };

static int pass(int socket, int send, int *fds, int count) {
  char bytes[BATCH * ITEM] = {1};
  char control[CMSG_SPACE(BATCH * sizeof(int))];
  struct iovec data = {bytes, send ? (size_t)count * ITEM : sizeof bytes};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (send) {
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(head), fds, count * sizeof(int));
    return sendmsg(socket, &message, MSG_NOSIGNAL) > 0 ? count : -1;
  }
  if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0) return -1;
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  if (head == NULL || message.msg_flags & MSG_CTRUNC) return -1;
  int came = (int)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
  memcpy(fds, CMSG_DATA(head), came * sizeof(int));
  return came;
}

static double run(int *fds, int count) {
  int pair[2];
  char ack;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) exit(1);
  pid_t child = fork();
  if (child == 0) {
    close(pair[0]);
    for (int i = 0; i < count; i++) close(fds[i]);
    for (int left = count; left > 0;) {
      int came = pass(pair[1], 0, fds, 0);
      if (came < 0 || write(pair[1], "x", 1) != 1) _exit(1);
      left -= came;
    }
    _exit(0);
  }
  close(pair[1]);
  usleep(20000); /* the child has started and closed its copies */
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (int at = 0; at < count; at += BATCH) {
    int size = count - at < BATCH ? count - at : BATCH;
    if (pass(pair[0], 1, fds + at, size) < 0 || read(pair[0], &ack, 1) != 1) exit(1);
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  close(pair[0]);
  int status;
  waitpid(child, &status, 0);
  if (status != 0) exit(1);
  return (end.tv_sec - start.tv_sec) * 1e3 + (end.tv_nsec - start.tv_nsec) / 1e6;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  int count = atoi(argv[1]);
  int *fds = malloc(count * sizeof(int));
  for (int i = 0; i < count; i++) {
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fds[i] < 0 || bind(fds[i], (struct sockaddr *)&any, sizeof any) != 0) return 1;
  }
  for (int i = 0; i < atoi(argv[2]); i++) printf("%f\n", run(fds, count));
  return 0;
}
