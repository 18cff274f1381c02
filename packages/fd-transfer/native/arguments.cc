// SPDX-License-Identifier: Apache-2.0
#include "arguments.h"

#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <limits>

#include "errors.h"

namespace hot {

bool Arguments::Refuse(int error, const std::string& detail) const {
  ThrowErrno(info_.Env(), syscall_, error, detail);
  return false;
}

bool Arguments::ToInteger(const Napi::Value& value, const char* name, int64_t minimum, int64_t maximum,
                          int64_t* result) const {
  const std::string range =
      std::string(name) + " is an integer from " + std::to_string(minimum) + " to " + std::to_string(maximum);
  if (value.IsEmpty() || !value.IsNumber()) return Refuse(EINVAL, range);
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= static_cast<double>(minimum) && number <= static_cast<double>(maximum)) ||
      number != std::floor(number)) {
    return Refuse(EINVAL, range);
  }
  *result = static_cast<int64_t>(number);
  return true;
}

bool Arguments::ToFd(const Napi::Value& value, int* fd) const {
  const char* rule = "a descriptor is an integer from 0 to 2147483647";
  // One call tells both whether it is a number and which: a hand-over asks it of thousands.
  double number = -1;
  if (value.IsEmpty() || napi_get_value_double(info_.Env(), value, &number) != napi_ok) return Refuse(EBADF, rule);
  if (!(number >= 0 && number <= std::numeric_limits<int>::max()) || number != std::floor(number)) {
    return Refuse(EBADF, rule);
  }
  *fd = static_cast<int>(number);
  return true;
}

bool Arguments::Fd(size_t index, int* fd) const { return ToFd(info_[index], fd); }

bool Arguments::Integer(size_t index, const char* name, int64_t minimum, int64_t maximum, int64_t* value) const {
  return ToInteger(info_[index], name, minimum, maximum, value);
}

bool Arguments::Text(size_t index, const char* name, std::string* text) const {
  if (!info_[index].IsString()) return Refuse(EINVAL, std::string(name) + " is a string");
  *text = info_[index].As<Napi::String>().Utf8Value();
  if (text->empty() || text->find('\0') != std::string::npos) {
    return Refuse(EINVAL, std::string(name) + " is not empty and has no NUL character");
  }
  return true;
}

bool Arguments::FitsSocket(const std::string& name) const {
  constexpr size_t limit = sizeof(sockaddr_un::sun_path) - 1;
  if (name.size() <= limit) return true;
  return Refuse(ENAMETOOLONG, "the path of a socket has at most " + std::to_string(limit) + " bytes: " + name);
}

bool Arguments::SocketPath(size_t index, std::string* path) const {
  return Text(index, "path", path) && FitsSocket(*path);
}

bool Arguments::SocketName(size_t index, std::string* name) const {
  if (!info_[index].IsString()) return Refuse(EINVAL, "path is a string");
  *name = info_[index].As<Napi::String>().Utf8Value();
  const bool abstract = name->size() > 1 && (*name)[0] == '\0';
  return abstract ? FitsSocket(*name) : SocketPath(index, name);
}

bool Arguments::Fds(size_t index, std::vector<int>* fds) const {
  const Napi::Value value = info_[index];
  napi_typedarray_type type = napi_uint8_array;
  void* data = nullptr;
  size_t length = 0;
  const bool packed =
      value.IsTypedArray() &&
      napi_get_typedarray_info(info_.Env(), value, &type, &length, &data, nullptr, nullptr) == napi_ok &&
      type == napi_int32_array;
  if (!packed && !value.IsArray()) return Refuse(EINVAL, "fds is an array of descriptors");
  if (!packed) length = value.As<Napi::Array>().Length();
  constexpr size_t limit = 252;  // fits everywhere: musl copies control data into 1,024 bytes
  if (length > limit) return Refuse(EINVAL, "one message carries at most 252 descriptors");
  return packed ? PackedFds(static_cast<const int*>(data), length, fds) : EachFd(value.As<Napi::Array>(), length, fds);
}

bool Arguments::PackedFds(const int* data, size_t length, std::vector<int>* fds) const {
  if (length == 0) return true;
  fds->assign(data, data + length);
  if (std::ranges::all_of(*fds, [](int fd) { return fd >= 0; })) return true;
  return Refuse(EBADF, "a descriptor is an integer from 0 to 2147483647");
}

bool Arguments::EachFd(const Napi::Array& array, size_t length, std::vector<int>* fds) const {
  fds->reserve(length);
  for (uint32_t position = 0; position < length; ++position) {
    const Napi::Value element = array.Get(position);
    if (info_.Env().IsExceptionPending()) return false;
    int fd = -1;
    if (!ToFd(element, &fd)) return false;
    fds->push_back(fd);
  }
  return true;
}

bool Arguments::Bytes(size_t index, std::span<const uint8_t>* bytes) const {
  const Napi::Value value = info_[index];
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    return Refuse(EINVAL, "data is a Uint8Array");
  }
  void* data = nullptr;
  size_t length = 0;
  if (napi_get_typedarray_info(info_.Env(), value, nullptr, &length, &data, nullptr, nullptr) != napi_ok) {
    return Refuse(EINVAL, "data is a Uint8Array");
  }
  if (length == 0 || data == nullptr) return Refuse(EINVAL, "data has at least 1 byte: an empty message means the end");
  *bytes = std::span<const uint8_t>(static_cast<const uint8_t*>(data), length);
  return true;
}

bool Arguments::Object(size_t index, const char* name, Napi::Object* object) const {
  if (!info_[index].IsObject()) return Refuse(EINVAL, std::string(name) + " is an object");
  *object = info_[index].As<Napi::Object>();
  return true;
}

bool Arguments::IntegerField(const Napi::Object& object, const char* name, int64_t minimum, int64_t maximum,
                             int64_t* value) const {
  const Napi::Value field = object.Get(name);
  if (info_.Env().IsExceptionPending()) return false;
  return ToInteger(field, name, minimum, maximum, value);
}

bool Arguments::FlagField(const Napi::Object& object, const char* name, bool* value) const {
  const Napi::Value field = object.Get(name);
  if (info_.Env().IsExceptionPending()) return false;
  *value = false;
  if (field.IsUndefined()) return true;
  if (!field.IsBoolean()) return Refuse(EINVAL, std::string(name) + " is a boolean");
  *value = field.As<Napi::Boolean>().Value();
  return true;
}

}  // namespace hot
