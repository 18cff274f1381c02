// SPDX-License-Identifier: Apache-2.0
// Checked arguments. A method that returns false has thrown: the caller returns at once. JavaScript may hand in
// anything; nothing of it may reach a system call or a pointer unchecked.
#pragma once

#include <napi.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hot {

class Arguments {
 public:
  Arguments(const Napi::CallbackInfo& info, const char* syscall) : info_(info), syscall_(syscall) {}

  bool Fd(size_t index, int* fd) const;
  bool Integer(size_t index, const char* name, int64_t minimum, int64_t maximum, int64_t* value) const;
  // 1 to 107 bytes without NUL: what fits into sun_path.
  bool SocketPath(size_t index, std::string* path) const;
  // The same, or an abstract name, which begins with a NUL character.
  bool SocketName(size_t index, std::string* name) const;
  bool Text(size_t index, const char* name, std::string* text) const;
  // An Int32Array, whose numbers take no call each; or an array. Reading an element of that may run JavaScript, so take
  // this before Bytes.
  bool Fds(size_t index, std::vector<int>* fds) const;
  // Valid until JavaScript runs again.
  bool Bytes(size_t index, std::span<const uint8_t>* bytes) const;
  bool Object(size_t index, const char* name, Napi::Object* object) const;
  bool IntegerField(const Napi::Object& object, const char* name, int64_t minimum, int64_t maximum, int64_t* value) const;
  // undefined = false.
  bool FlagField(const Napi::Object& object, const char* name, bool* value) const;

 private:
  bool FitsSocket(const std::string& name) const;
  bool Refuse(int error, const std::string& detail) const;
  bool ToFd(const Napi::Value& value, int* fd) const;
  bool PackedFds(const int* data, size_t length, std::vector<int>* fds) const;
  bool EachFd(const Napi::Array& array, size_t length, std::vector<int>* fds) const;
  bool ToInteger(const Napi::Value& value, const char* name, int64_t minimum, int64_t maximum, int64_t* result) const;

  const Napi::CallbackInfo& info_;
  const char* syscall_;
};

}  // namespace hot
