// SPDX-License-Identifier: Apache-2.0
#include "instance.h"
#include "poll.h"

#include <fcntl.h>

#include <cerrno>

#include "arguments.h"
#include "errors.h"

namespace hot {
namespace {

constexpr int kReadable = 1;
constexpr int kWritable = 2;
constexpr int kDisconnect = 4;

int ToLibuv(int64_t events) {
  return ((events & kReadable) != 0 ? UV_READABLE : 0) | ((events & kWritable) != 0 ? UV_WRITABLE : 0) |
         ((events & kDisconnect) != 0 ? UV_DISCONNECT : 0);
}

int FromLibuv(int events) {
  return ((events & UV_READABLE) != 0 ? kReadable : 0) | ((events & UV_WRITABLE) != 0 ? kWritable : 0) |
         ((events & UV_DISCONNECT) != 0 ? kDisconnect : 0);
}

Napi::Value CreatePoller(const Napi::CallbackInfo& info) {
  return InstanceOf(info.Env()).poller.New({info[static_cast<size_t>(0)], info[static_cast<size_t>(1)]});
}

}  // namespace

Poller::Poller(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Poller>(info) {
  int fd = -1;
  if (Arguments(info, "uv_poll_init").Fd(0, &fd)) Open(info.Env(), fd, info[1]);
}

void Poller::Open(Napi::Env env, int fd, const Napi::Value& callback) {
  if (!callback.IsFunction()) return ThrowErrno(env, "uv_poll_init", EINVAL, "onEvent is a function");
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return ThrowErrno(env, "uv_poll_init", ENOSYS, "no event loop");
  auto* watch = new Watch();
  const int result = uv_poll_init(loop, &watch->handle, fd);
  if (result != 0) {
    delete watch;
    return ThrowErrno(env, "uv_poll_init", -result);
  }
  watch->fd = fd;
  watch->owner = this;
  watch->instance = &InstanceOf(env);
  watch->handle.data = watch;
  napi_add_async_cleanup_hook(env, OnTeardown, watch, &watch->hook);
  watch_ = watch;
  callback_ = Napi::Persistent(callback.As<Napi::Function>());
}

Poller::~Poller() {
  if (watch_ == nullptr) return;
  watch_->owner = nullptr;
  Discard(watch_);
}

Napi::Value Poller::Start(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int64_t events = 0;
  if (!Arguments(info, "uv_poll_start").Integer(0, "events", 1, 7, &events)) return Napi::Value();
  if (watch_ == nullptr || watch_->closing) return Fail(env, "uv_poll_start", EBADF, "the Poller was closed");
  // libuv aborts the process when epoll refuses a descriptor.
  if (fcntl(watch_->fd, F_GETFD) < 0) return Fail(env, "uv_poll_start", errno, "its descriptor was closed");
  const int result = uv_poll_start(&watch_->handle, ToLibuv(events), OnPoll);
  if (result != 0) return Fail(env, "uv_poll_start", -result);
  watch_->events = ToLibuv(events);
  watch_->instance->polled.insert(watch_->fd);
  if (!held_) Ref();
  held_ = true;
  return env.Undefined();
}

Napi::Value Poller::Stop(const Napi::CallbackInfo& info) {
  if (watch_ != nullptr) Halt(watch_);
  Rest();
  return info.Env().Undefined();
}

Napi::Value Poller::Close(const Napi::CallbackInfo& info) {
  if (watch_ != nullptr) Discard(watch_);
  Rest();
  // It leads back to this Poller as a rule: together they would never be collected.
  callback_.Reset();
  return info.Env().Undefined();
}

Napi::Value Poller::KeepAlive(const Napi::CallbackInfo& info) {
  if (watch_ != nullptr && !watch_->closing) uv_ref(reinterpret_cast<uv_handle_t*>(&watch_->handle));
  return info.Env().Undefined();
}

Napi::Value Poller::LetExit(const Napi::CallbackInfo& info) {
  if (watch_ != nullptr && !watch_->closing) uv_unref(reinterpret_cast<uv_handle_t*>(&watch_->handle));
  return info.Env().Undefined();
}

void Poller::Rest() {
  if (held_) Unref();
  held_ = false;
}

// Takes the descriptor out of epoll at once (EPOLL_CTL_DEL): the caller may close it right after.
void Poller::Halt(Watch* watch) {
  if (watch->closing || watch->events == 0) return;
  uv_poll_stop(&watch->handle);
  watch->events = 0;
  watch->instance->polled.erase(watch->fd);
}

void Poller::Discard(Watch* watch) {
  if (watch->closing) return;
  Halt(watch);
  watch->closing = true;
  uv_close(reinterpret_cast<uv_handle_t*>(&watch->handle), OnClosed);
}

void Poller::OnClosed(uv_handle_t* handle) {
  auto* watch = static_cast<Watch*>(handle->data);
  if (watch->owner != nullptr) watch->owner->watch_ = nullptr;
  napi_remove_async_cleanup_hook(watch->hook);
  delete watch;
}

// The environment ends (process or worker). libuv must not be left with an open handle; node waits for OnClosed.
void Poller::OnTeardown(napi_async_cleanup_hook_handle, void* data) { Discard(static_cast<Watch*>(data)); }

void Poller::OnPoll(uv_poll_t* handle, int status, int events) {
  auto* watch = static_cast<Watch*>(handle->data);
  if (watch->owner == nullptr) return;
  if (status == 0) return watch->owner->Report(FromLibuv(events));
  // libuv has stopped the handle because of an error on the socket. With SEQPACKET it comes before messages that are
  // still queued, so it only means "read on": report it, and watch again unless the callback has decided otherwise.
  watch->owner->Report(kReadable | kDisconnect);
  if (watch->closing || watch->events == 0 || fcntl(watch->fd, F_GETFD) < 0) return;
  uv_poll_start(&watch->handle, watch->events, OnPoll);
}

// Plain Node-API: while a worker is being terminated every call fails without an exception, and the C++ wrappers would
// try to throw. Then nobody is left to be told.
void Poller::Report(int events) {
  const napi_env env = Env();
  const Napi::HandleScope scope(env);
  napi_value argument = nullptr;
  if (napi_create_int32(env, events, &argument) != napi_ok) return;
  if (napi_make_callback(env, nullptr, Value(), callback_.Value(), 1, &argument, nullptr) == napi_ok) return;
  bool pending = false;
  napi_value thrown = nullptr;
  if (napi_is_exception_pending(env, &pending) != napi_ok || !pending) return;
  if (napi_get_and_clear_last_exception(env, &thrown) == napi_ok) napi_fatal_exception(env, thrown);
}

void Poller::Export(Napi::Env env, Napi::Object exports) {
  const Napi::Function constructor =
      DefineClass(env, "Poller",
                  {InstanceMethod<&Poller::Start>("start"), InstanceMethod<&Poller::Stop>("stop"),
                   InstanceMethod<&Poller::Close>("close"), InstanceMethod<&Poller::KeepAlive>("ref"),
                   InstanceMethod<&Poller::LetExit>("unref")});
  InstanceOf(env).poller = Napi::Persistent(constructor);
  exports.Set("createPoller", Napi::Function::New<CreatePoller>(env, "createPoller"));
}

}  // namespace hot
