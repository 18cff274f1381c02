// SPDX-License-Identifier: Apache-2.0
// One u32 in a sealed memfd, shared by two processes and changed by compare-and-swap. The seals are what makes the
// mapping safe: nobody can shrink the file under it (SIGBUS).
#pragma once

#include <napi.h>

#include <cstdint>

namespace hot {

class Word : public Napi::ObjectWrap<Word> {
 public:
  static void Export(Napi::Env env, Napi::Object exports);
  explicit Word(const Napi::CallbackInfo& info);
  ~Word() override;

 private:
  Napi::Value Load(const Napi::CallbackInfo& info);
  Napi::Value CompareExchange(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);
  void Map(Napi::Env env, int fd);
  void Unmap();

  uint32_t* value_ = nullptr;
};

}  // namespace hot
