// SPDX-License-Identifier: Apache-2.0
#include "ancillary.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <vector>

#include "arguments.h"
#include "errors.h"
#include "inspect.h"
#include "instance.h"

namespace hot {
namespace {

constexpr size_t kKernelLimit = 253;  // SCM_MAX_FD: with less room the kernel would drop what a foreign sender may send
constexpr int64_t kMessageLimit = 1 << 20;

// Received descriptors: closed unless they reach JavaScript.
class Arrived {
 public:
  Arrived() = default;
  Arrived(const Arrived&) = delete;
  Arrived& operator=(const Arrived&) = delete;
  ~Arrived() {
    for (const int fd : fds_) ::close(fd);
  }

  void Add(int fd) { fds_.push_back(fd); }
  const std::vector<int>& all() const { return fds_; }
  void GivenAway() { fds_.clear(); }

 private:
  std::vector<int> fds_;
};

Napi::Value Send(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Arguments arguments(info, "sendmsg");
  int fd = -1;
  std::vector<int> fds;
  std::span<const uint8_t> bytes;
  if (!arguments.Fd(0, &fd) || !arguments.Fds(2, &fds) || !arguments.Bytes(1, &bytes)) return Napi::Value();

  iovec part{const_cast<uint8_t*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(kKernelLimit * sizeof(int))] = {};
  if (!fds.empty()) {
    const size_t size = fds.size() * sizeof(int);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), fds.data(), size);
  }
  for (;;) {
    if (sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return Napi::Boolean::New(env, true);
    if (errno == EAGAIN) return Napi::Boolean::New(env, false);
    if (errno != EINTR) return Fail(env, "sendmsg", errno);
  }
}

Napi::Value Recv(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Arguments arguments(info, "recvmsg");
  int fd = -1;
  int64_t limit = 0;
  if (!arguments.Fd(0, &fd) || !arguments.Integer(1, "maxBytes", 1, kMessageLimit, &limit)) return Napi::Value();
  std::vector<char>& room = InstanceOf(env).receive;
  if (room.size() < static_cast<size_t>(limit)) room.resize(static_cast<size_t>(limit));

  iovec part{room.data(), static_cast<size_t>(limit)};
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
  if (size < 0) return errno == EAGAIN ? env.Null() : Fail(env, "recvmsg", errno);

  Arrived arrived;
  ucred credentials{};
  bool known = false;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET) continue;
    if (header->cmsg_type == SCM_RIGHTS) {
      const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (size_t position = 0; position < count; ++position) {
        int received = -1;
        std::memcpy(&received, CMSG_DATA(header) + position * sizeof(int), sizeof received);
        arrived.Add(received);
      }
    } else if (header->cmsg_type == SCM_CREDENTIALS && header->cmsg_len >= CMSG_LEN(sizeof credentials)) {
      std::memcpy(&credentials, CMSG_DATA(header), sizeof credentials);
      known = true;
    }
  }

  Napi::Object result = Napi::Object::New(env);
  Napi::Array fds = Napi::Array::New(env, arrived.all().size());
  for (size_t position = 0; position < arrived.all().size(); ++position) {
    fds.Set(static_cast<uint32_t>(position), Napi::Number::New(env, arrived.all()[position]));
  }
  result.Set("data", Napi::Buffer<char>::Copy(env, room.data(), static_cast<size_t>(size)));
  result.Set("fds", fds);
  result.Set("truncated", Napi::Boolean::New(env, (message.msg_flags & MSG_TRUNC) != 0));
  result.Set("controlTruncated", Napi::Boolean::New(env, (message.msg_flags & MSG_CTRUNC) != 0));
  result.Set("cred", known ? Napi::Value(CredentialsOf(env, credentials)) : env.Null());
  if (env.IsExceptionPending()) return Napi::Value();
  arrived.GivenAway();
  return result;
}

}  // namespace

void ExportMessages(Napi::Env env, Napi::Object exports) {
  exports.Set("send", Napi::Function::New<Send>(env, "send"));
  exports.Set("recv", Napi::Function::New<Recv>(env, "recv"));
}

}  // namespace hot
