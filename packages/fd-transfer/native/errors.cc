// SPDX-License-Identifier: Apache-2.0
#include "errors.h"

#include <cerrno>
#include <cstring>

#include "instance.h"

namespace hot {
namespace {

// strerrorname_np is not in musl; these are all that our system calls can return.
const char* NameOf(int error) {
#define HOT_NAME(name) \
  case name:           \
    return #name;
  switch (error) {
    HOT_NAME(EACCES)
    HOT_NAME(EADDRINUSE)
    HOT_NAME(EADDRNOTAVAIL)
    HOT_NAME(EAFNOSUPPORT)
    HOT_NAME(EAGAIN)
    HOT_NAME(EBADF)
    HOT_NAME(EBUSY)
    HOT_NAME(ECONNABORTED)
    HOT_NAME(ECONNREFUSED)
    HOT_NAME(ECONNRESET)
    HOT_NAME(EEXIST)
    HOT_NAME(EFAULT)
    HOT_NAME(EINPROGRESS)
    HOT_NAME(EINTR)
    HOT_NAME(EINVAL)
    HOT_NAME(EIO)
    HOT_NAME(EISCONN)
    HOT_NAME(ELOOP)
    HOT_NAME(EMFILE)
    HOT_NAME(EMSGSIZE)
    HOT_NAME(ENAMETOOLONG)
    HOT_NAME(ENFILE)
    HOT_NAME(ENOBUFS)
    HOT_NAME(ENODEV)
    HOT_NAME(ENOENT)
    HOT_NAME(ENOLCK)
    HOT_NAME(ENOMEM)
    HOT_NAME(ENOPROTOOPT)
    HOT_NAME(ENOSPC)
    HOT_NAME(ENOSYS)
    HOT_NAME(ENOTCONN)
    HOT_NAME(ENOTDIR)
    HOT_NAME(ENOTSOCK)
    HOT_NAME(EOPNOTSUPP)
    HOT_NAME(EPERM)
    HOT_NAME(EPIPE)
    HOT_NAME(EPROTONOSUPPORT)
    HOT_NAME(EPROTOTYPE)
    HOT_NAME(EROFS)
    HOT_NAME(ETIMEDOUT)
    HOT_NAME(ETOOMANYREFS)
    HOT_NAME(ETXTBSY)
    default:
      return nullptr;
  }
#undef HOT_NAME
}

}  // namespace

void ThrowErrno(Napi::Env env, const char* syscall, int error, const std::string& detail) {
  if (env.IsExceptionPending()) return;
  const char* known = NameOf(error);
  const std::string code = known != nullptr ? known : "E" + std::to_string(error);
  const std::string sentence = detail.empty() ? std::string(std::strerror(error)) : detail;
  Napi::Object thrown = InstanceOf(env).error.New(
      {Napi::String::New(env, code), Napi::Number::New(env, error), Napi::String::New(env, syscall),
       Napi::String::New(env, sentence)});
  if (env.IsExceptionPending()) return;
  napi_throw(env, thrown);
}

Napi::Value Fail(Napi::Env env, const char* syscall, int error, const std::string& detail) {
  ThrowErrno(env, syscall, error, detail);
  return Napi::Value();
}

}  // namespace hot
