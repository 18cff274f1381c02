// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { compileRe2 } from "../src/index.ts";

// Each row was answered so by Go's regexp package.
it.each([
  ["^key", "key1", true],
  ["key", "xkey1", true],
  ["key$", "key\n", false],
  ["(?m)key$", "key\n", true],
  ["(?i)MAIN", "main", true],
  ["(?i:M)ain", "mAIN", false],
  ["(?i)k", "K", true],
  ["(?P<x>a)+b", "aab", true],
  ["a{1000}", "a", false],
  ["^a{2,3}$", "aaaa", false],
  ["^a{,2}$", "a{,2}", true],
  ["^a\\\\1$", "a\\1", true],
  ["^[]a-]+$", "]a-", true],
  ["^[[:alpha:]_]+$", "a_Z", true],
  ["^[^a]$", "\n", true],
  ["^.$", "\n", false],
  ["(?s)^.$", "\n", true],
  ["^\\pL+$", "aé", true],
  ["\\p{Greek}", "Ω", true],
  ["\\bapp\\b", "my-app-1", true],
  ["^\\Qa.b\\E$", "a.b", true],
  ["^\\x61\\x{62}\\103$", "abC", true],
  ["", "anything", true],
  ["^(a|b|)$", "", true],
  ["^(?:a+?)*$", "aaa", true],
])("%s on %j: %s", (pattern, text, expected) => {
  const compiled = compileRe2(pattern);
  expect("regex" in compiled && compiled.regex.test(text)).toBe(expected);
});

describe("what Go refuses is refused", () => {
  it.each([
    "a(",
    "a)",
    "(?=a)",
    "(?<!a)b",
    "(a)\\1",
    "\\Z",
    "\\C",
    "(?x)a",
    "(?P=n)",
    "(?P<n>a)(?P<n>b)",
    "[a",
    "[z-a]",
    "[[:foo:]]",
    "\\p{Klingon}",
    "*a",
    "a**",
    "a+{2}",
    "a{1001}",
    "a{2,2000}",
    "a{3,2}",
    "(a{40}){40}",
    "a\\",
    "a".repeat(4097),
    `${"(".repeat(1001)}a${")".repeat(1001)}`,
  ])("%s", (pattern) => {
    expect(compileRe2(pattern)).toEqual({ problem: expect.stringMatching(/\S/) as string });
  });
});

it("no pattern hangs: what takes a backtracking engine for ever is answered", () => {
  for (const pattern of ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "^(.*)*x$", "(x+x+)+y", "^((a{1,10}){1,10}){1,10}$"]) {
    const compiled = compileRe2(pattern);
    expect("regex" in compiled && compiled.regex.test(`${"ax".repeat(2000)}!`)).toBe(false);
  }
});
