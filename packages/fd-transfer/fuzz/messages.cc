// SPDX-License-Identifier: Apache-2.0
// A hostile peer on a real socket: any descriptors, control data and sizes, in any order, with any option that a holder
// of the socket can set, while the receiver has any number of descriptors left. After each run all are closed.
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>

#include "../native/message.h"
#include "require.h"

namespace {

constexpr int kDescriptors = 320;
constexpr size_t kMostBytes = 4096;
constexpr int kTypes[] = {SOCK_SEQPACKET, SOCK_SEQPACKET, SOCK_STREAM, SOCK_DGRAM};
// SO_PASSCRED, SO_TIMESTAMP, SO_TIMESTAMPNS, SO_PASSSEC, SO_RXQ_OVFL, SO_PASSPIDFD, SO_PASSRIGHTS; by number: not all
// headers know all of them.
constexpr int kPassRights = 83;
constexpr int kOptions[] = {16, 29, 35, 34, 40, 76, kPassRights};

struct Sent {
  size_t bytes;
  uint8_t fill;
  size_t fds;
};

// Which descriptors are open, by one system call.
std::array<bool, kDescriptors> OpenOnes() {
  static std::array<pollfd, kDescriptors> list;
  for (int fd = 0; fd < kDescriptors; ++fd) list[fd] = {fd, 0, 0};
  poll(list.data(), list.size(), 0);
  std::array<bool, kDescriptors> open{};
  for (int fd = 0; fd < kDescriptors; ++fd) open[fd] = (list[fd].revents & POLLNVAL) == 0;
  return open;
}

void Limit(rlim_t descriptors) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = descriptors;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

class Run {
 public:
  explicit Run(Script script) : script_(script) {}

  void Play() {
    const std::array<bool, kDescriptors> before = OpenOnes();
    type_ = kTypes[script_.Upto(3)];
    int pair[2];
    REQUIRE(socketpair(AF_UNIX, type_ | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    peer_ = pair[0];
    ours_ = pair[1];
    event_ = eventfd(0, EFD_CLOEXEC);
    for (uint8_t options = script_.Next(), index = 0; index < 7; ++index) {
      const int bit = options >> index & 1;
      const int value = kOptions[index] == kPassRights ? 1 - bit : bit;  // on from the start
      setsockopt(ours_, SOL_SOCKET, kOptions[index], &value, sizeof value);
    }
    left_ = script_.Upto(300);
    for (int steps = 0; steps < 24 && !script_.done(); ++steps) Step();
    if (peer_ >= 0) close(peer_);
    while (Receive(kMostBytes)) continue;
    close(ours_);
    close(event_);
    REQUIRE(OpenOnes() == before);
  }

 private:
  void Step() {
    switch (script_.Upto(9)) {
      case 0: case 1: case 2: return SendRaw();
      case 3: return SendByUs();
      case 4: case 5: case 6: static_cast<void>(Receive(script_.Upto(kMostBytes - 1) + 1)); return;
      case 7:
        if (peer_ >= 0) shutdown(peer_, script_.Upto(2));
        return;
      case 8: shutdown(ours_, SHUT_WR); return;
      default:
        if (script_.Upto(3) != 0 || peer_ < 0) return;
        close(peer_);
        peer_ = -1;
    }
  }

  int AnyDescriptor() {
    switch (script_.Upto(3)) {
      case 0: return event_;
      case 1: return ours_;
      case 2: return peer_;
      default: return 2;
    }
  }

  // As a peer would that keeps no rule: several control messages, of any type, length and content.
  void SendRaw() {
    alignas(cmsghdr) std::array<char, 4096> control{};
    size_t used = 0;
    size_t fds = 0;
    for (uint32_t parts = script_.Upto(3); parts > 0; --parts) {
      const uint32_t kind = script_.Upto(3);
      const size_t count = script_.Upto(kind == 0 ? 260 : 6);
      const size_t payload = kind == 1 ? sizeof(ucred) : count * sizeof(int);
      if (used + CMSG_SPACE(payload) > control.size()) break;
      auto* header = reinterpret_cast<cmsghdr*>(control.data() + used);
      header->cmsg_level = kind == 3 ? static_cast<int>(script_.Upto(300)) : SOL_SOCKET;
      header->cmsg_type = kind == 1 ? SCM_CREDENTIALS : kind == 2 ? script_.Next() : SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(payload);
      if (kind == 1) {
        const ucred self{getpid(), getuid(), getgid()};
        std::memcpy(CMSG_DATA(header), &self, sizeof self);
      } else {
        for (size_t at = 0; at < count; ++at) {
          const int fd = AnyDescriptor();
          std::memcpy(CMSG_DATA(header) + at * sizeof(int), &fd, sizeof fd);
        }
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) fds += count;
      }
      used += CMSG_SPACE(payload);
    }
    std::array<char, kMostBytes> bytes;
    const size_t size = script_.Upto(kMostBytes);
    const uint8_t fill = script_.Next();
    std::memset(bytes.data(), fill, size);
    iovec part{bytes.data(), size};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = size == 0 ? 0 : 1;
    message.msg_control = used == 0 ? nullptr : control.data();
    message.msg_controllen = used;
    if (sendmsg(peer_, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) sent_.push_back({size, fill, fds});
  }

  void SendByUs() {
    std::vector<int> fds(script_.Upto(256));
    for (int& fd : fds) fd = AnyDescriptor();
    const std::vector<uint8_t> bytes(script_.Upto(kMostBytes), script_.Next());
    size_t sent = 0;
    const int error = hot::SendMessage(peer_, bytes, fds, &sent);
    REQUIRE(error != EINTR);
    REQUIRE(error != 0 || fds.size() <= hot::kKernelLimit);
    REQUIRE(error == 0 ? sent <= bytes.size() : sent == 0);
    if (error == 0) sent_.push_back({sent, bytes.empty() ? uint8_t{0} : bytes[0], fds.size()});
  }

  // False when nothing more can come.
  bool Receive(size_t room) {
    std::vector<char> space(room);
    hot::Arrival arrival;
    const size_t open_now = static_cast<size_t>(event_) + 1;
    Limit(open_now + left_);
    const int error = hot::ReceiveMessage(ours_, space, &arrival);
    Limit(kDescriptors);
    REQUIRE(error != EINTR);
    if (error != 0) {
      REQUIRE(arrival.fds().empty());
      return error == ECONNRESET;
    }
    REQUIRE(arrival.bytes <= room);
    REQUIRE(arrival.fds().size() <= hot::kKernelLimit);
    for (const int fd : arrival.fds()) REQUIRE((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    const bool end = arrival.bytes == 0 && sent_.empty();
    if (type_ != SOCK_STREAM && !sent_.empty()) Compare(arrival, space);
    if (type_ == SOCK_STREAM && arrival.bytes == 0) return false;
    return !end;
  }

  // One message in, one out: nothing is merged, cut without a word, or of somebody else.
  void Compare(const hot::Arrival& arrival, const std::vector<char>& space) {
    const Sent sent = sent_.front();
    sent_.pop_front();
    REQUIRE(arrival.truncated == (sent.bytes > space.size()));
    REQUIRE(arrival.bytes == std::min(sent.bytes, space.size()));
    for (size_t at = 0; at < arrival.bytes; ++at) REQUIRE(static_cast<uint8_t>(space[at]) == sent.fill);
    REQUIRE(arrival.fds().size() <= sent.fds);
    REQUIRE(arrival.control_truncated || arrival.fds().size() == sent.fds);
  }

  Script script_;
  int type_ = 0;
  int peer_ = -1;
  int ours_ = -1;
  int event_ = -1;
  size_t left_ = 0;
  std::deque<Sent> sent_;
};

}  // namespace

extern "C" int close_under_test(int fd) {
  const int result = close(fd);
  REQUIRE(result == 0);
  return result;
}

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  Limit(kDescriptors);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Run(Script(data, size)).Play();
  return 0;
}
