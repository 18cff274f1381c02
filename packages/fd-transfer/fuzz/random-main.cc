// SPDX-License-Identifier: Apache-2.0
// Drives a harness without libFuzzer, for a machine that has only a compiler: each seed as it is, then as many inputs as
// were asked for, made from the seeds by the same small changes in every run.
//
//   HARNESS RUNS SEED...
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" __attribute__((weak)) int LLVMFuzzerInitialize(int*, char***);

namespace {

using Input = std::vector<uint8_t>;
constexpr size_t kLongest = 4096;

class Mutator {
 public:
  Input Change(Input input, const std::vector<Input>& seeds) {
    for (size_t changes = 1 + Below(8); changes > 0; --changes) {
      const size_t at = Below(input.size() + 1);
      switch (Below(6)) {
        case 0: input.insert(input.begin() + at, Byte()); break;
        case 1: if (at < input.size()) input.erase(input.begin() + at); break;
        case 2: if (at < input.size()) input[at] = Byte(); break;
        case 3: if (at < input.size()) input[at] ^= static_cast<uint8_t>(1U << Below(8)); break;
        case 4: input.resize(at); break;
        default: {
          const Input& other = seeds[Below(seeds.size())];
          input.insert(input.begin() + at, other.begin(), other.end());
        }
      }
    }
    if (input.size() > kLongest) input.resize(kLongest);
    return input;
  }

  size_t Below(size_t limit) { return engine_() % limit; }

 private:
  uint8_t Byte() { return static_cast<uint8_t>(Below(4) == 0 ? Below(256) : Below(20)); }

  std::mt19937 engine_{20260101};
};

void Try(const Input& input) { LLVMFuzzerTestOneInput(input.data(), input.size()); }

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) return 2;
  if (LLVMFuzzerInitialize != nullptr) LLVMFuzzerInitialize(&count, &arguments);
  const long runs = std::atol(arguments[1]);
  std::vector<Input> seeds;
  for (int index = 2; index < count; ++index) {
    std::ifstream file(arguments[index], std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    Try(seeds.back());
  }
  Mutator mutator;
  for (long run = 0; run < runs; ++run) Try(mutator.Change(seeds[mutator.Below(seeds.size())], seeds));
  std::printf("%zu\n", seeds.size() + static_cast<size_t>(runs));
  return 0;
}
