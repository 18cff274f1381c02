// SPDX-License-Identifier: Apache-2.0
// Making sockets and asking about them. Every descriptor made here is close-on-exec and non-blocking from the start.
#pragma once

#include <napi.h>

namespace hot {

void ExportSockets(Napi::Env env, Napi::Object exports);

}  // namespace hot
