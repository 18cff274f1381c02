// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { MAX_DEPTH, parseBoundedJson, TooDeepError } from "../src/bounded-json.ts";

const nested = (depth: number, open = "[", close = "]"): string => open.repeat(depth) + close.repeat(depth);

test("nesting up to the bound is read, one level more is refused", () => {
  expect(() => parseBoundedJson(nested(MAX_DEPTH))).not.toThrow();
  expect(() => parseBoundedJson(nested(MAX_DEPTH + 1))).toThrow(TooDeepError);
  expect(() => parseBoundedJson(nested(MAX_DEPTH + 1, '{"a":', "}").replace(":}", ":1}"))).toThrow(TooDeepError);
});

test("a million levels are refused, not a crash", () => {
  expect(() => parseBoundedJson(nested(1_000_000))).toThrow(TooDeepError);
});

test("__proto__ members are dropped at every level, also when written with escapes", () => {
  const text = '{"a":[{"__proto__":{"x":1},"b":2}],"\\u005f_proto__":{"y":1},"constructor":3}';
  expect(JSON.stringify(parseBoundedJson(text))).toBe('{"a":[{"b":2}],"constructor":3}');
});

test("what is not JSON is a SyntaxError", () => {
  expect(() => parseBoundedJson("{")).toThrow(SyntaxError);
});
