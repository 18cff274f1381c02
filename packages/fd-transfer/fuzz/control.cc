// SPDX-License-Identifier: Apache-2.0
// The control part of a message, of any bytes: also those that no kernel would write. The C library's own macros read
// it as well; both must take the same out of it.
#include <sys/socket.h>

#include <cstring>
#include <memory>
#include <optional>

#include "../native/message.h"
#include "require.h"

namespace {

std::vector<int> closed;

struct Expected {
  std::vector<int> fds;
  std::vector<int> closed;
  std::optional<ucred> credentials;
};

Expected ReadByMacros(msghdr* message) {
  Expected expected;
  const auto* end = static_cast<const uint8_t*>(message->msg_control) + message->msg_controllen;
  for (cmsghdr* header = CMSG_FIRSTHDR(message); header != nullptr; header = CMSG_NXTHDR(message, header)) {
    const auto room = static_cast<size_t>(end - reinterpret_cast<const uint8_t*>(header));
    if (header->cmsg_len < CMSG_LEN(0) || header->cmsg_len > room) break;
    const size_t size = header->cmsg_len - CMSG_LEN(0);
    if (header->cmsg_level != SOL_SOCKET) continue;
    std::vector<int> numbers(size / sizeof(int));
    if (!numbers.empty()) std::memcpy(numbers.data(), CMSG_DATA(header), numbers.size() * sizeof(int));
    if (header->cmsg_type == 1) expected.fds.insert(expected.fds.end(), numbers.begin(), numbers.end());
    if (header->cmsg_type == 2 && size >= sizeof(ucred)) {
      std::memcpy(&expected.credentials.emplace(), CMSG_DATA(header), sizeof(ucred));
    }
    if (header->cmsg_type == 4 && !numbers.empty() && numbers[0] >= 0) expected.closed.push_back(numbers[0]);
  }
  return expected;
}

}  // namespace

extern "C" int close_under_test(int fd) {
  closed.push_back(fd);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  closed.clear();
  // Whole words, as the macros need them: a last one without its padding they would not see. A copy of its own on the
  // heap, so that one byte too far is noticed.
  const size_t whole = size / sizeof(size_t) * sizeof(size_t);
  const std::unique_ptr<uint8_t[]> control(new uint8_t[whole]);
  if (whole > 0) std::memcpy(control.get(), data, whole);
  msghdr message{};
  message.msg_control = control.get();
  message.msg_controllen = whole;
  const Expected expected = ReadByMacros(&message);
  const bool given_away = size % 2 == 0;
  {
    hot::Arrival arrival;
    arrival.ReadControl(message);
    REQUIRE(arrival.fds() == expected.fds);
    REQUIRE(arrival.credentials.has_value() == expected.credentials.has_value());
    if (expected.credentials) {
      REQUIRE(std::memcmp(&*arrival.credentials, &*expected.credentials, sizeof(ucred)) == 0);
    }
    REQUIRE(closed == expected.closed);
    if (given_away) arrival.GivenAway();
    closed.clear();
  }
  // Nobody took them: all are closed, once. Somebody did: none is.
  REQUIRE(closed == (given_away ? std::vector<int>() : expected.fds));
  return 0;
}
