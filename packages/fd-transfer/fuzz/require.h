// SPDX-License-Identifier: Apache-2.0
// What every harness needs: a claim that ends the run, and the descriptors that the code under test has closed.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#define REQUIRE(claim)                                                                    \
  do {                                                                                    \
    if (!(claim)) {                                                                       \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #claim);     \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)

// The code under test is compiled with this name in place of close.
extern "C" int close_under_test(int fd);

// Reads a program of small numbers from the fuzzer's bytes; zeros after their end.
class Script {
 public:
  Script(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}

  bool done() const { return at_ == end_; }
  uint8_t Next() { return at_ == end_ ? 0 : *at_++; }
  uint32_t Upto(uint32_t limit) { return limit < 256 ? Next() % (limit + 1) : (Next() * 256U + Next()) % (limit + 1); }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};
