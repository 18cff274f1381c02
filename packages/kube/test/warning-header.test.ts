// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { warningTexts } from "../src/warning-header.ts";

test.each<[string, string | string[] | undefined, string[]]>([
  ["none", undefined, []],
  ["one", '299 - "spec.a is deprecated"', ["spec.a is deprecated"]],
  ["two headers", ['299 - "a"', '299 - "b, c"'], ["a", "b, c"]],
  ["two in one header", '299 - "a", 299 - "b"', ["a", "b"]],
  ["escaped quotes and backslashes", '299 - "say \\"hi\\" and C:\\\\"', ['say "hi" and C:\\']],
  ["a text that looks like a header", '299 - "x 299 - \\"y\\""', ['x 299 - "y"']],
  ["another code is none of ours", '110 - "stale"', []],
  ["no quotes", "299 - broken", []],
])("%s", (_, header, texts) => {
  expect(warningTexts(header)).toEqual(texts);
});
