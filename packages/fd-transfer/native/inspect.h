// SPDX-License-Identifier: Apache-2.0
// What can be asked of, or done to, one descriptor.
#pragma once

#include <napi.h>

#include <sys/socket.h>

namespace hot {

void ExportDescriptors(Napi::Env env, Napi::Object exports);

Napi::Object CredentialsOf(Napi::Env env, const ucred& credentials);

}  // namespace hot
