// SPDX-License-Identifier: Apache-2.0
#include "socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "arguments.h"
#include "descriptor.h"
#include "errors.h"

namespace hot {
namespace {

constexpr int kFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;
constexpr int64_t kBacklogLimit = 65535;
constexpr int64_t kReceiveLimit = 1 << 30;

bool Enable(int fd, int level, int option, int value = 1) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// The mode is set twice: before bind, so that nobody can connect who must not at any time, and after it, because bind
// takes the umask away. Nobody can connect before listen in any case.
Napi::Value ListenOnPath(Napi::Env env, int type, const std::string& path, int mode, int backlog) {
  Descriptor socket(::socket(AF_UNIX, type | kFlags, 0));
  if (!socket.valid()) return Fail(env, "socket", errno);
  if (type == SOCK_SEQPACKET && !Enable(socket.get(), SOL_SOCKET, SO_PASSCRED)) return Fail(env, "setsockopt", errno);
  if (fchmod(socket.get(), static_cast<mode_t>(mode)) != 0) return Fail(env, "fchmod", errno);
  const sockaddr_un address = AddressOf(path);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    return Fail(env, "bind", error, std::string(std::strerror(error)) + ": " + path);
  }
  if (chmod(path.c_str(), static_cast<mode_t>(mode)) != 0 || listen(socket.get(), backlog) != 0) {
    const int error = errno;
    unlink(path.c_str());
    return Fail(env, "listen", error, std::string(std::strerror(error)) + ": " + path);
  }
  return Napi::Number::New(env, socket.release());
}

Napi::Value ListenSeqpacket(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "bind");
  std::string path;
  int64_t mode = 0;
  int64_t backlog = 0;
  if (!arguments.SocketPath(0, &path) || !arguments.Integer(1, "mode", 0, 0777, &mode) ||
      !arguments.Integer(2, "backlog", 0, kBacklogLimit, &backlog)) {
    return Napi::Value();
  }
  return ListenOnPath(info.Env(), SOCK_SEQPACKET, path, static_cast<int>(mode), static_cast<int>(backlog));
}

Napi::Value ListenUnix(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "bind");
  std::string path;
  int64_t backlog = 0;
  int64_t mode = 0;
  if (!arguments.SocketPath(0, &path) || !arguments.Integer(1, "backlog", 0, kBacklogLimit, &backlog) ||
      !arguments.Integer(2, "mode", 0, 0777, &mode)) {
    return Napi::Value();
  }
  return ListenOnPath(info.Env(), SOCK_STREAM, path, static_cast<int>(mode), static_cast<int>(backlog));
}

Napi::Value ConnectTo(Napi::Env env, int type, const std::string& name) {
  Descriptor socket(::socket(AF_UNIX, type | kFlags, 0));
  if (!socket.valid()) return Fail(env, "socket", errno);
  const sockaddr_un address = AddressOf(name);
  // The length of an abstract name is part of it; a path ends with a NUL.
  const size_t size = name[0] == '\0' ? name.size() : name.size() + 1;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  int result = 0;
  do {
    result = connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length);
  } while (result != 0 && errno == EINTR);
  if (result != 0) {
    const int error = errno;
    return Fail(env, "connect", error, std::string(std::strerror(error)) + ": " + name);
  }
  // After connect: before it, the kernel would bind us to an abstract name.
  if (type == SOCK_SEQPACKET && !Enable(socket.get(), SOL_SOCKET, SO_PASSCRED)) return Fail(env, "setsockopt", errno);
  return Napi::Number::New(env, socket.release());
}

Napi::Value ConnectSeqpacket(const Napi::CallbackInfo& info) {
  std::string path;
  if (!Arguments(info, "connect").SocketPath(0, &path)) return Napi::Value();
  return ConnectTo(info.Env(), SOCK_SEQPACKET, path);
}

Napi::Value ConnectUnix(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "connect");
  std::string name;
  std::string type;
  if (!arguments.SocketName(0, &name) || !arguments.Text(1, "type", &type)) return Napi::Value();
  if (type == "stream") return ConnectTo(info.Env(), SOCK_STREAM, name);
  if (type == "datagram") return ConnectTo(info.Env(), SOCK_DGRAM, name);
  return Fail(info.Env(), "connect", EINVAL, "type is \"stream\" or \"datagram\"");
}

Napi::Value Accept(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int fd = -1;
  if (!Arguments(info, "accept4").Fd(0, &fd)) return Napi::Value();
  for (;;) {
    const int accepted = accept4(fd, nullptr, nullptr, kFlags);
    if (accepted >= 0) return Napi::Number::New(env, accepted);
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN) return env.Null();
    return Fail(env, "accept4", errno);
  }
}

Napi::Value Socketpair(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int pair[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | kFlags, 0, pair) != 0) return Fail(env, "socketpair", errno);
  Descriptor first(pair[0]);
  Descriptor second(pair[1]);
  if (!Enable(first.get(), SOL_SOCKET, SO_PASSCRED) || !Enable(second.get(), SOL_SOCKET, SO_PASSCRED)) {
    return Fail(env, "setsockopt", errno);
  }
  Napi::Array result = Napi::Array::New(env, 2);
  result.Set(0u, Napi::Number::New(env, first.get()));
  result.Set(1u, Napi::Number::New(env, second.get()));
  if (env.IsExceptionPending()) return Napi::Value();
  first.release();
  second.release();
  return result;
}

struct NumericAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// False for a name: nothing here may ask a resolver, which would block.
bool ToAddress(const std::string& host, int64_t port, int type, NumericAddress* result) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = type;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return false;
  result->length = found->ai_addrlen;
  std::memcpy(&result->storage, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return true;
}

Napi::Value ListenTcp(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Arguments arguments(info, "bind");
  std::string host;
  int64_t port = 0;
  Napi::Object options;
  int64_t backlog = 0;
  bool v6only = false;
  bool reusePort = false;
  if (!arguments.Text(0, "host", &host) || !arguments.Integer(1, "port", 0, 65535, &port) ||
      !arguments.Object(2, "options", &options) ||
      !arguments.IntegerField(options, "backlog", 0, kBacklogLimit, &backlog) ||
      !arguments.FlagField(options, "v6only", &v6only) || !arguments.FlagField(options, "reusePort", &reusePort)) {
    return Napi::Value();
  }
  NumericAddress address;
  if (!ToAddress(host, port, SOCK_STREAM, &address)) {
    return Fail(env, "bind", EINVAL, "host is a numeric address, not \"" + host + "\"");
  }
  Descriptor socket(::socket(address.storage.ss_family, SOCK_STREAM | kFlags, 0));
  if (!socket.valid()) return Fail(env, "socket", errno);
  if (!Enable(socket.get(), SOL_SOCKET, SO_REUSEADDR) ||
      (address.storage.ss_family == AF_INET6 && !Enable(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, v6only ? 1 : 0)) ||
      (reusePort && !Enable(socket.get(), SOL_SOCKET, SO_REUSEPORT))) {
    return Fail(env, "setsockopt", errno);
  }
  const std::string where = host + " port " + std::to_string(port);
  if (bind(socket.get(), address.get(), address.length) != 0) {
    const int error = errno;
    return Fail(env, "bind", error, std::string(std::strerror(error)) + ": " + where);
  }
  if (listen(socket.get(), static_cast<int>(backlog)) != 0) {
    const int error = errno;
    return Fail(env, "listen", error, std::string(std::strerror(error)) + ": " + where);
  }
  return Napi::Number::New(env, socket.release());
}

Napi::Value BindUdp(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Arguments arguments(info, "bind");
  std::string host;
  int64_t port = 0;
  Napi::Object options;
  int64_t room = 0;
  bool v6only = false;
  if (!arguments.Text(0, "host", &host) || !arguments.Integer(1, "port", 0, 65535, &port) ||
      !arguments.Object(2, "options", &options) ||
      !arguments.IntegerField(options, "receiveBytes", 0, kReceiveLimit, &room) ||
      !arguments.FlagField(options, "v6only", &v6only)) {
    return Napi::Value();
  }
  NumericAddress address;
  if (!ToAddress(host, port, SOCK_DGRAM, &address)) {
    return Fail(env, "bind", EINVAL, "host is a numeric address, not \"" + host + "\"");
  }
  Descriptor socket(::socket(address.storage.ss_family, SOCK_DGRAM | kFlags, 0));
  if (!socket.valid()) return Fail(env, "socket", errno);
  const int bytes = static_cast<int>(room);
  // SO_RCVBUFFORCE goes over net.core.rmem_max and needs CAP_NET_ADMIN; without it the kernel takes what it allows.
  if ((address.storage.ss_family == AF_INET6 && !Enable(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, v6only ? 1 : 0)) ||
      (bytes > 0 && !Enable(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, bytes) &&
       !Enable(socket.get(), SOL_SOCKET, SO_RCVBUF, bytes))) {
    return Fail(env, "setsockopt", errno);
  }
  if (bind(socket.get(), address.get(), address.length) != 0) {
    const int error = errno;
    return Fail(env, "bind", error, std::string(std::strerror(error)) + ": " + host + " port " + std::to_string(port));
  }
  return Napi::Number::New(env, socket.release());
}

}  // namespace

void ExportSockets(Napi::Env env, Napi::Object exports) {
  exports.Set("listenSeqpacket", Napi::Function::New<ListenSeqpacket>(env, "listenSeqpacket"));
  exports.Set("listenUnix", Napi::Function::New<ListenUnix>(env, "listenUnix"));
  exports.Set("connectSeqpacket", Napi::Function::New<ConnectSeqpacket>(env, "connectSeqpacket"));
  exports.Set("connectUnix", Napi::Function::New<ConnectUnix>(env, "connectUnix"));
  exports.Set("accept", Napi::Function::New<Accept>(env, "accept"));
  exports.Set("socketpair", Napi::Function::New<Socketpair>(env, "socketpair"));
  exports.Set("listenTcp", Napi::Function::New<ListenTcp>(env, "listenTcp"));
  exports.Set("bindUdp", Napi::Function::New<BindUdp>(env, "bindUdp"));
}

}  // namespace hot
