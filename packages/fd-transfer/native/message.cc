// SPDX-License-Identifier: Apache-2.0
#include "message.h"

#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04
#endif

namespace hot {
namespace {

int DescriptorAt(const char* place) {
  int fd = -1;
  std::memcpy(&fd, place, sizeof fd);
  return fd;
}

}  // namespace

Arrival::~Arrival() {
  for (const int fd : fds_) ::close(fd);
}

// By offsets, not by CMSG_NXTHDR: C libraries differ in what they check, and old ones overflow.
void Arrival::ReadControl(const msghdr& message) {
  const char* at = static_cast<const char*>(message.msg_control);
  for (size_t left = message.msg_controllen; left >= sizeof(cmsghdr);) {
    cmsghdr header;
    std::memcpy(&header, at, sizeof header);
    const size_t length = header.cmsg_len;
    if (length < sizeof header || length > left) return;
    if (header.cmsg_level == SOL_SOCKET) Take(header.cmsg_type, at + CMSG_LEN(0), length - CMSG_LEN(0));
    const size_t step = CMSG_ALIGN(length);
    if (step > left) return;
    at += step;
    left -= step;
  }
}

void Arrival::Take(int type, const char* payload, size_t size) {
  if (type == SCM_RIGHTS) {
    for (size_t at = 0; at + sizeof(int) <= size; at += sizeof(int)) fds_.push_back(DescriptorAt(payload + at));
  } else if (type == SCM_CREDENTIALS && size >= sizeof(ucred)) {
    std::memcpy(&credentials.emplace(), payload, sizeof(ucred));
  } else if (type == SCM_PIDFD && size >= sizeof(int)) {
    // Whoever shares the socket may have switched SO_PASSPIDFD on: nobody asked for this one.
    if (const int fd = DescriptorAt(payload); fd >= 0) ::close(fd);
  }
}

int SendMessage(int fd, std::span<const uint8_t> bytes, std::span<const int> fds, size_t* sent) {
  iovec part{const_cast<uint8_t*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(kKernelLimit * sizeof(int))] = {};
  if (fds.size() > kKernelLimit) return EINVAL;
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }
  ssize_t size = 0;
  while ((size = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT)) < 0) {
    if (errno != EINTR) return errno;
  }
  *sent = static_cast<size_t>(size);
  return 0;
}

int ReceiveMessage(int fd, std::span<char> room, Arrival* arrival) {
  iovec part{room.data(), room.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(kKernelLimit * sizeof(int)) + CMSG_SPACE(sizeof(ucred))];
  msghdr message{};
  ssize_t size = 0;
  do {
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    size = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  } while (size < 0 && errno == EINTR);
  if (size < 0) return errno;
  arrival->bytes = static_cast<size_t>(size);
  arrival->truncated = (message.msg_flags & MSG_TRUNC) != 0;
  arrival->control_truncated = (message.msg_flags & MSG_CTRUNC) != 0;
  arrival->ReadControl(message);
  return 0;
}

}  // namespace hot
