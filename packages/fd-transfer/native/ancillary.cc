// SPDX-License-Identifier: Apache-2.0
#include "ancillary.h"

#include <cerrno>
#include <span>
#include <vector>

#include "arguments.h"
#include "errors.h"
#include "inspect.h"
#include "instance.h"
#include "message.h"

namespace hot {
namespace {

constexpr int64_t kMessageLimit = 1 << 20;

Napi::Value Send(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Arguments arguments(info, "sendmsg");
  int fd = -1;
  std::vector<int> fds;
  std::span<const uint8_t> bytes;
  if (!arguments.Fd(0, &fd) || !arguments.Fds(2, &fds) || !arguments.Bytes(1, &bytes)) return Napi::Value();

  size_t sent = 0;
  const int error = SendMessage(fd, bytes, fds, &sent);
  if (error == 0 || error == EAGAIN) return Napi::Number::New(env, static_cast<double>(sent));
  return Fail(env, "sendmsg", error);
}

Napi::Value Recv(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Arguments arguments(info, "recvmsg");
  int fd = -1;
  int64_t limit = 0;
  if (!arguments.Fd(0, &fd) || !arguments.Integer(1, "maxBytes", 1, kMessageLimit, &limit)) return Napi::Value();
  std::vector<char>& room = InstanceOf(env).receive;
  if (room.size() < static_cast<size_t>(limit)) room.resize(static_cast<size_t>(limit));

  Arrival arrival;
  const int error = ReceiveMessage(fd, {room.data(), static_cast<size_t>(limit)}, &arrival);
  if (error != 0) return error == EAGAIN ? env.Null() : Fail(env, "recvmsg", error);

  Napi::Object result = Napi::Object::New(env);
  Napi::Array fds = Napi::Array::New(env, arrival.fds().size());
  for (size_t position = 0; position < arrival.fds().size(); ++position) {
    fds.Set(static_cast<uint32_t>(position), Napi::Number::New(env, arrival.fds()[position]));
  }
  result.Set("data", Napi::Buffer<char>::Copy(env, room.data(), arrival.bytes));
  result.Set("fds", fds);
  result.Set("truncated", Napi::Boolean::New(env, arrival.truncated));
  result.Set("controlTruncated", Napi::Boolean::New(env, arrival.control_truncated));
  result.Set("cred", arrival.credentials ? Napi::Value(CredentialsOf(env, *arrival.credentials)) : env.Null());
  if (env.IsExceptionPending()) return Napi::Value();
  arrival.GivenAway();
  return result;
}

}  // namespace

void ExportMessages(Napi::Env env, Napi::Object exports) {
  exports.Set("send", Napi::Function::New<Send>(env, "send"));
  exports.Set("recv", Napi::Function::New<Recv>(env, "recv"));
}

}  // namespace hot
