// SPDX-License-Identifier: Apache-2.0
// The number at the begin of a file that several processes raise: by compare-and-swap, so that one that was stopped
// between reading and writing does not put an older number in place.
#pragma once

#include <napi.h>

namespace hot {

void ExportEpoch(Napi::Env env, Napi::Object exports);

}  // namespace hot
