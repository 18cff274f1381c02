// SPDX-License-Identifier: Apache-2.0
#include "epoch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <cstdint>

#include "arguments.h"
#include "errors.h"

namespace hot {
namespace {

constexpr off_t kSize = sizeof(uint64_t);
static_assert(std::atomic_ref<uint64_t>::is_always_lock_free, "a lock would not be shared by the processes");

// In the file the number is little endian, whatever the machine.
constexpr uint64_t InFile(uint64_t value) {
  return std::endian::native == std::endian::little ? value : __builtin_bswap64(value);
}

// Writing to memory ends the process (SIGBUS) where there is nothing behind it: after the end of a file, and where a full
// file system has no room. Nobody makes the file shorter, and who was faster with a new one keeps its number.
int Reserve(int fd, off_t size) {
  while (fallocate(fd, 0, 0, kSize) != 0) {
    if (errno == EINTR) continue;
    if (errno != EOPNOTSUPP) return errno;
    return size > 0 || ftruncate(fd, kSize) == 0 ? 0 : errno;
  }
  return 0;
}

bool ToNumber(const Napi::Value& value, uint64_t* number) {
  bool lossless = false;
  if (value.IsEmpty() || !value.IsBigInt()) return false;
  *number = value.As<Napi::BigInt>().Uint64Value(&lossless);
  return lossless;
}

Napi::Value ExchangeEpoch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int fd = -1;
  uint64_t expected = 0;
  uint64_t next = 0;
  if (!Arguments(info, "mmap").Fd(0, &fd)) return Napi::Value();
  if (!ToNumber(info[static_cast<size_t>(1)], &expected) || !ToNumber(info[static_cast<size_t>(2)], &next)) {
    return Fail(env, "mmap", EINVAL, "expected and next are bigints of 64 bits without a sign");
  }
  struct stat file{};
  if (fstat(fd, &file) != 0) return Fail(env, "fstat", errno);
  if (!S_ISREG(file.st_mode)) return Fail(env, "mmap", EINVAL, "not a regular file");
  // Half a number is none of ours.
  const uint64_t zero = 0;
  if (file.st_size > 0 && file.st_size < kSize && pwrite(fd, &zero, sizeof zero, 0) != kSize) {
    return Fail(env, "pwrite", errno);
  }
  void* mapped = mmap(nullptr, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) return Fail(env, "mmap", errno);
  const int error = Reserve(fd, file.st_size);
  bool changed = false;
  if (error == 0) {
    uint64_t old = InFile(expected);
    std::atomic_ref<uint64_t> number(*static_cast<uint64_t*>(mapped));
    changed = number.compare_exchange_strong(old, InFile(next));
  }
  munmap(mapped, sizeof(uint64_t));
  return error == 0 ? Napi::Boolean::New(env, changed) : Fail(env, "fallocate", error);
}

}  // namespace

void ExportEpoch(Napi::Env env, Napi::Object exports) {
  exports.Set("exchangeEpoch", Napi::Function::New<ExchangeEpoch>(env, "exchangeEpoch"));
}

}  // namespace hot
