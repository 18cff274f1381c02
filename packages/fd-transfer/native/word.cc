// SPDX-License-Identifier: Apache-2.0
#include "word.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <limits>

#include "arguments.h"
#include "descriptor.h"
#include "errors.h"
#include "instance.h"
#include "memory.h"

namespace hot {
namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
constexpr off_t kSize = sizeof(uint32_t);
constexpr int64_t kMaximum = std::numeric_limits<uint32_t>::max();
static_assert(std::atomic_ref<uint32_t>::is_always_lock_free, "a lock would not be shared by the processes");

Napi::Value CreateWord(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int64_t initial = 0;
  if (!Arguments(info, "memfd_create").Integer(0, "initial", 0, kMaximum, &initial)) return Napi::Value();
  Descriptor memory(OpenMemory("hot-word"));
  if (!memory.valid()) return Fail(env, "memfd_create", errno);
  const auto value = static_cast<uint32_t>(initial);
  if (pwrite(memory.get(), &value, sizeof value, 0) != kSize) return Fail(env, "pwrite", errno);
  if (fcntl(memory.get(), F_ADD_SEALS, kSeals) != 0) return Fail(env, "fcntl", errno);
  return Napi::Number::New(env, memory.release());
}

Napi::Value MapWord(const Napi::CallbackInfo& info) {
  return InstanceOf(info.Env()).word.New({info[static_cast<size_t>(0)]});
}

}  // namespace

Word::Word(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Word>(info) {
  int fd = -1;
  if (Arguments(info, "mmap").Fd(0, &fd)) Map(info.Env(), fd);
}

void Word::Map(Napi::Env env, int fd) {
  struct stat file{};
  if (fstat(fd, &file) != 0) return ThrowErrno(env, "fstat", errno);
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals) {
    return ThrowErrno(env, "mmap", EINVAL, "not a memfd sealed against shrink, grow and further seals");
  }
  if (file.st_size != kSize) return ThrowErrno(env, "mmap", EINVAL, "not a memfd of 4 bytes");
  void* mapped = mmap(nullptr, sizeof(uint32_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) return ThrowErrno(env, "mmap", errno);
  value_ = static_cast<uint32_t*>(mapped);
}

Word::~Word() { Unmap(); }

void Word::Unmap() {
  if (value_ != nullptr) munmap(value_, sizeof *value_);
  value_ = nullptr;
}

Napi::Value Word::Load(const Napi::CallbackInfo& info) {
  if (value_ == nullptr) return Fail(info.Env(), "load", EBADF, "the word was closed");
  return Napi::Number::New(info.Env(), std::atomic_ref<uint32_t>(*value_).load());
}

Napi::Value Word::CompareExchange(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "compareExchange");
  int64_t expected = 0;
  int64_t next = 0;
  if (!arguments.Integer(0, "expected", 0, kMaximum, &expected) || !arguments.Integer(1, "next", 0, kMaximum, &next)) {
    return Napi::Value();
  }
  if (value_ == nullptr) return Fail(info.Env(), "compareExchange", EBADF, "the word was closed");
  auto old = static_cast<uint32_t>(expected);
  const bool changed = std::atomic_ref<uint32_t>(*value_).compare_exchange_strong(old, static_cast<uint32_t>(next));
  return Napi::Boolean::New(info.Env(), changed);
}

Napi::Value Word::Close(const Napi::CallbackInfo& info) {
  Unmap();
  return info.Env().Undefined();
}

void Word::Export(Napi::Env env, Napi::Object exports) {
  const Napi::Function constructor = DefineClass(env, "Word",
                                                 {InstanceMethod<&Word::Load>("load"),
                                                  InstanceMethod<&Word::CompareExchange>("compareExchange"),
                                                  InstanceMethod<&Word::Close>("close")});
  InstanceOf(env).word = Napi::Persistent(constructor);
  exports.Set("createWord", Napi::Function::New<CreateWord>(env, "createWord"));
  exports.Set("mapWord", Napi::Function::New<MapWord>(env, "mapWord"));
}

}  // namespace hot
