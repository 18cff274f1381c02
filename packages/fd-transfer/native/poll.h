// SPDX-License-Identifier: Apache-2.0
// Watches one descriptor on the event loop of the calling thread.
//
// Two lifetimes: the JavaScript object (Poller) may be collected at any time unless it is started; the libuv handle
// (Watch) must live until libuv has called back after uv_close, also when a worker is terminated in between.
#pragma once

#include <napi.h>
#include <uv.h>

#include "instance.h"

namespace hot {

class Poller;

struct Watch {
  uv_poll_t handle{};
  int fd = -1;
  int events = 0;           // in libuv's bits; 0 = stopped
  bool closing = false;
  Poller* owner = nullptr;  // null once the JavaScript object is gone
  Instance* instance = nullptr;
  napi_async_cleanup_hook_handle hook = nullptr;
};

class Poller : public Napi::ObjectWrap<Poller> {
 public:
  static void Export(Napi::Env env, Napi::Object exports);
  explicit Poller(const Napi::CallbackInfo& info);
  ~Poller() override;

 private:
  Napi::Value Start(const Napi::CallbackInfo& info);
  Napi::Value Stop(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);
  Napi::Value KeepAlive(const Napi::CallbackInfo& info);
  Napi::Value LetExit(const Napi::CallbackInfo& info);
  void Open(Napi::Env env, int fd, const Napi::Value& callback);
  void Report(int events);
  void Rest();

  static void OnPoll(uv_poll_t* handle, int status, int events);
  static void OnClosed(uv_handle_t* handle);
  static void OnTeardown(napi_async_cleanup_hook_handle hook, void* watch);
  static void Halt(Watch* watch);
  static void Discard(Watch* watch);

  Watch* watch_ = nullptr;
  Napi::FunctionReference callback_;
  bool held_ = false;  // a reference keeps this object alive while it is started
};

}  // namespace hot
