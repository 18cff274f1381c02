// SPDX-License-Identifier: Apache-2.0
// The system calls that @hot/fd-transfer needs and Node does not offer. The contract is src/native/contract.ts.
//
// Always holds: no globals (one Instance per environment); no C++ exceptions; every argument is checked before use;
// a descriptor is either closed here or has reached JavaScript; nothing blocks.
#include <napi.h>

#include "ancillary.h"
#include "epoch.h"
#include "inspect.h"
#include "instance.h"
#include "memory.h"
#include "poll.h"
#include "socket.h"
#include "word.h"

namespace hot {
namespace {

// bind(NativeError) gives all functions: an error class must exist before anything can fail.
Napi::Value Bind(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[static_cast<size_t>(0)].IsFunction()) {
    Napi::TypeError::New(env, "bind takes the class NativeError").ThrowAsJavaScriptException();
    return Napi::Value();
  }
  InstanceOf(env).error = Napi::Persistent(info[static_cast<size_t>(0)].As<Napi::Function>());
  Napi::Object functions = Napi::Object::New(env);
  ExportSockets(env, functions);
  ExportDescriptors(env, functions);
  ExportMessages(env, functions);
  ExportMemory(env, functions);
  ExportEpoch(env, functions);
  Word::Export(env, functions);
  Poller::Export(env, functions);
  return functions;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Instance());
  exports.Set("bind", Napi::Function::New<Bind>(env, "bind"));
  return exports;
}

NODE_API_MODULE(hot_fd, Init)

}  // namespace
}  // namespace hot
