// SPDX-License-Identifier: Apache-2.0
// Messages with descriptors (SCM_RIGHTS) and credentials.
#pragma once

#include <napi.h>

namespace hot {

void ExportMessages(Napi::Env env, Napi::Object exports);

}  // namespace hot
