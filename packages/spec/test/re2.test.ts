// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { compileRe2 } from "../src/index.ts";

it.each([
  ["^key", "key1", true],
  ["key", "xkey1", true],
  ["(?i)MAIN", "main", true],
  ["(?P<x>a)+b", "aab", true],
  ["a{1000}", "a", false],
  ["^a\\\\1$", "a\\1", true],
])("%s on %s: %s", (pattern, text, expected) => {
  const compiled = compileRe2(pattern);
  expect("regex" in compiled && compiled.regex.test(text)).toBe(expected);
});

it.each(["a(", "(?=a)", "(?<!a)b", "(a)\\1", "a{1001}", "a{2,2000}"])("%s is refused", (pattern) => {
  expect(compileRe2(pattern)).toHaveProperty("problem");
});
