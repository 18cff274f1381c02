// SPDX-License-Identifier: Apache-2.0
// One message with descriptors, without JavaScript: what hostile peers can reach, and what the fuzzer drives.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace hot {

// SCM_MAX_FD: with less room the kernel would drop what a foreign sender may send.
constexpr size_t kKernelLimit = 253;

// What came with one message. Its descriptors are closed unless they are given away.
class Arrival {
 public:
  Arrival() = default;
  Arrival(const Arrival&) = delete;
  Arrival& operator=(const Arrival&) = delete;
  ~Arrival();

  // Takes what is in the control part. Trusts no length in it.
  void ReadControl(const msghdr& message);
  const std::vector<int>& fds() const { return fds_; }
  void GivenAway() { fds_.clear(); }

  size_t bytes = 0;
  bool truncated = false;
  bool control_truncated = false;
  std::optional<ucred> credentials;

 private:
  void Take(int type, const char* payload, size_t size);

  std::vector<int> fds_;
};

// Neither blocks nor is interrupted. 0 = done, else the errno.
// `sent`: how many of the bytes; a stream takes what it has room for, with all descriptors.
int SendMessage(int fd, std::span<const uint8_t> bytes, std::span<const int> fds, size_t* sent);
int ReceiveMessage(int fd, std::span<char> room, Arrival* arrival);

}  // namespace hot
