// SPDX-License-Identifier: Apache-2.0
#include "inspect.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <vector>

#include "arguments.h"
#include "errors.h"
#include "instance.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

namespace hot {
namespace {

template <typename T>
bool Ask(int fd, int level, int option, T* value) {
  socklen_t length = sizeof *value;
  return getsockopt(fd, level, option, value, &length) == 0;
}

// A Unix listener on which anybody called shutdown() goes on saying that it listens; only polling it tells.
bool IsShutDown(int fd) {
  pollfd watched{fd, POLLRDHUP, 0};
  return poll(&watched, 1, 0) > 0 && (watched.revents & (POLLRDHUP | POLLHUP)) != 0;
}

// Null for a socket without a name and for families that have no host or path.
Napi::Value AddressOf(Napi::Env env, const sockaddr_storage& address, socklen_t length) {
  Napi::Object result = Napi::Object::New(env);
  if (address.ss_family == AF_UNIX) {
    const auto& local = reinterpret_cast<const sockaddr_un&>(address);
    if (length <= offsetof(sockaddr_un, sun_path)) return env.Null();
    size_t size = length - offsetof(sockaddr_un, sun_path);
    if (local.sun_path[0] != '\0' && local.sun_path[size - 1] == '\0') --size;
    result.Set("path", Napi::String::New(env, local.sun_path, size));
    return result;
  }
  if (address.ss_family != AF_INET && address.ss_family != AF_INET6) return env.Null();
  char host[NI_MAXHOST];
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), length, host, sizeof host, nullptr, 0, NI_NUMERICHOST) !=
      0) {
    return env.Null();
  }
  const uint16_t port = address.ss_family == AF_INET ? reinterpret_cast<const sockaddr_in&>(address).sin_port
                                                     : reinterpret_cast<const sockaddr_in6&>(address).sin6_port;
  result.Set("host", Napi::String::New(env, host));
  result.Set("port", Napi::Number::New(env, ntohs(port)));
  return result;
}

Napi::Value SocketInfo(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int fd = -1;
  if (!Arguments(info, "getsockopt").Fd(0, &fd)) return Napi::Value();
  int domain = 0;
  int type = 0;
  int protocol = 0;
  int accepting = 0;
  int reusePort = 0;
  int v6only = 0;
  uint64_t cookie = 0;
  if (!Ask(fd, SOL_SOCKET, SO_DOMAIN, &domain) || !Ask(fd, SOL_SOCKET, SO_TYPE, &type) ||
      !Ask(fd, SOL_SOCKET, SO_PROTOCOL, &protocol) || !Ask(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepting) ||
      !Ask(fd, SOL_SOCKET, SO_COOKIE, &cookie)) {
    return Fail(env, "getsockopt", errno);
  }
  Ask(fd, SOL_SOCKET, SO_REUSEPORT, &reusePort);
  if (domain == AF_INET6) Ask(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only);
  if (accepting != 0 && domain == AF_UNIX && IsShutDown(fd)) accepting = 0;
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return Fail(env, "getsockname", errno);

  Napi::Object result = Napi::Object::New(env);
  result.Set("domain", Napi::Number::New(env, domain));
  result.Set("type", Napi::Number::New(env, type));
  result.Set("protocol", Napi::Number::New(env, protocol));
  result.Set("accepting", Napi::Boolean::New(env, accepting != 0));
  result.Set("cookie", Napi::BigInt::New(env, cookie));
  result.Set("v6only", Napi::Boolean::New(env, v6only != 0));
  result.Set("reusePort", Napi::Boolean::New(env, reusePort != 0));
  result.Set("address", AddressOf(env, address, length));
  return result;
}

// Of each descriptor the cookie, and what it is: bits 0 to 7 the type, bit 8 that it listens. Zeros for what is no socket.
// All in one call: a hand-over asks it of thousands.
Napi::Value Identify(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<int> fds;
  if (!Arguments(info, "getsockopt").Fds(0, &fds)) return Napi::Value();
  Napi::BigUint64Array result = Napi::BigUint64Array::New(env, 2 * fds.size());
  if (env.IsExceptionPending()) return Napi::Value();
  for (size_t index = 0; index < fds.size(); ++index) {
    int type = 0;
    int listening = 0;
    uint64_t cookie = 0;
    const bool known = Ask(fds[index], SOL_SOCKET, SO_COOKIE, &cookie) &&
                       Ask(fds[index], SOL_SOCKET, SO_TYPE, &type) &&
                       (type == SOCK_DGRAM || Ask(fds[index], SOL_SOCKET, SO_ACCEPTCONN, &listening));
    result[2 * index] = known ? cookie : 0;
    result[2 * index + 1] = known ? static_cast<uint64_t>(type) | (listening != 0 ? 256 : 0) : 0;
  }
  return result;
}

Napi::Value Dup(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int fd = -1;
  if (!Arguments(info, "fcntl").Fd(0, &fd)) return Napi::Value();
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  return copy < 0 ? Fail(env, "fcntl", errno) : Napi::Number::New(env, copy);
}

// Closing a watched descriptor would leave its registration in epoll, or make libuv abort.
Napi::Value Close(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int fd = -1;
  if (!Arguments(info, "close").Fd(0, &fd)) return Napi::Value();
  if (InstanceOf(env).polled.contains(fd)) return Fail(env, "close", EBUSY, "stop its Poller first");
  // Linux has closed it whatever it returns, so there is nothing to try again.
  if (::close(fd) != 0 && errno != EINTR) return Fail(env, "close", errno);
  return env.Undefined();
}

Napi::Value IsOpen(const Napi::CallbackInfo& info) {
  int fd = -1;
  if (!Arguments(info, "fcntl").Fd(0, &fd)) return Napi::Value();
  return Napi::Boolean::New(info.Env(), fcntl(fd, F_GETFD) >= 0);
}

Napi::Value PeerCredentials(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int fd = -1;
  if (!Arguments(info, "getsockopt").Fd(0, &fd)) return Napi::Value();
  ucred credentials{};
  if (!Ask(fd, SOL_SOCKET, SO_PEERCRED, &credentials)) return Fail(env, "getsockopt", errno);
  return CredentialsOf(env, credentials);
}

Napi::Value LockExclusive(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int fd = -1;
  if (!Arguments(info, "flock").Fd(0, &fd)) return Napi::Value();
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return Napi::Boolean::New(env, false);
    if (errno != EINTR) return Fail(env, "flock", errno);
  }
  return Napi::Boolean::New(env, true);
}

}  // namespace

Napi::Object CredentialsOf(Napi::Env env, const ucred& credentials) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("pid", Napi::Number::New(env, credentials.pid));
  result.Set("uid", Napi::Number::New(env, credentials.uid));
  result.Set("gid", Napi::Number::New(env, credentials.gid));
  return result;
}

void ExportDescriptors(Napi::Env env, Napi::Object exports) {
  exports.Set("socketInfo", Napi::Function::New<SocketInfo>(env, "socketInfo"));
  exports.Set("identify", Napi::Function::New<Identify>(env, "identify"));
  exports.Set("dup", Napi::Function::New<Dup>(env, "dup"));
  exports.Set("close", Napi::Function::New<Close>(env, "close"));
  exports.Set("isOpen", Napi::Function::New<IsOpen>(env, "isOpen"));
  exports.Set("peerCredentials", Napi::Function::New<PeerCredentials>(env, "peerCredentials"));
  exports.Set("lockExclusive", Napi::Function::New<LockExclusive>(env, "lockExclusive"));
}

}  // namespace hot
