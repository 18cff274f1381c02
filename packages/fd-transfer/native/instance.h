// SPDX-License-Identifier: Apache-2.0
// What the addon keeps per environment (main thread or worker). There are no globals: workers never share any of it.
#pragma once

#include <napi.h>

#include <unordered_set>
#include <vector>

namespace hot {

struct Instance {
  Napi::FunctionReference error;   // the class NativeError
  Napi::FunctionReference word;    // the class behind Word
  Napi::FunctionReference poller;  // the class behind Poller
  std::vector<char> receive;       // room for one message; used within one call only
  std::unordered_set<int> polled;  // descriptors that an active poller of this environment watches
};

inline Instance& InstanceOf(Napi::Env env) { return *env.GetInstanceData<Instance>(); }

}  // namespace hot
