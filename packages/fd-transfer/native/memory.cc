// SPDX-License-Identifier: Apache-2.0
#include "memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <span>

#include "arguments.h"
#include "errors.h"
#include "instance.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

namespace hot {
namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

Napi::Value CreateMemory(const Napi::CallbackInfo& info) {
  const int fd = OpenMemory("hot-state");
  return fd < 0 ? Fail(info.Env(), "memfd_create", errno) : Napi::Number::New(info.Env(), fd);
}

Napi::Value SealMemory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int fd = -1;
  if (!Arguments(info, "fcntl").Fd(0, &fd)) return Napi::Value();
  return fcntl(fd, F_ADD_SEALS, kSeals) != 0 ? Fail(env, "fcntl", errno) : env.Undefined();
}

// The size is final: with these seals nobody can change it, nor the bytes.
Napi::Value MemorySize(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int fd = -1;
  if (!Arguments(info, "fcntl").Fd(0, &fd)) return Napi::Value();
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals) {
    return Fail(env, "fcntl", EINVAL, "not a memfd sealed against every change");
  }
  struct stat file {};
  if (fstat(fd, &file) != 0) return Fail(env, "fstat", errno);
  return Napi::Number::New(env, static_cast<double>(file.st_size));
}

}  // namespace

int OpenMemory(const char* name) {
  // Kernels before 6.3 do not know NOEXEC_SEAL; later ones may insist on it (vm.memfd_noexec).
  const int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
  return fd >= 0 || errno != EINVAL ? fd : memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

void ExportMemory(Napi::Env env, Napi::Object exports) {
  exports.Set("createMemory", Napi::Function::New<CreateMemory>(env, "createMemory"));
  exports.Set("sealMemory", Napi::Function::New<SealMemory>(env, "sealMemory"));
  exports.Set("memorySize", Napi::Function::New<MemorySize>(env, "memorySize"));
}

}  // namespace hot
