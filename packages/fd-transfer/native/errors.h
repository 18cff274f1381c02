// SPDX-License-Identifier: Apache-2.0
// C++ exceptions are off: a function that fails throws in JavaScript by one of these, and returns at once.
#pragma once

#include <napi.h>

#include <string>

namespace hot {

// Throws NativeError(code, errno, syscall, detail). `detail` says what was wrong; by default the system's own sentence.
void ThrowErrno(Napi::Env env, const char* syscall, int error, const std::string& detail = "");

// The same for a function that returns a value.
Napi::Value Fail(Napi::Env env, const char* syscall, int error, const std::string& detail = "");

}  // namespace hot
