// SPDX-License-Identifier: Apache-2.0
// Bytes that are handed over as one descriptor: a memfd that nobody can change any more.
#pragma once

#include <napi.h>

namespace hot {

void ExportMemory(Napi::Env env, Napi::Object exports);

// An empty memfd that can be sealed; -1 and errno on failure.
int OpenMemory(const char* name);

}  // namespace hot
