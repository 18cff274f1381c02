// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseFieldSelector, parseLabelSelector } from "../../src/api/selector.ts";

test.each<[string, Record<string, string>, boolean]>([
  ["", {}, true],
  ["a=b", { a: "b" }, true],
  ["a==b", { a: "c" }, false],
  ["a!=b", {}, true],
  ["a!=b", { a: "b" }, false],
  ["a", { a: "" }, true],
  ["!a", { a: "" }, false],
  ["a in (b, c)", { a: "c" }, true],
  ["a in (b,c)", {}, false],
  ["a notin (b)", {}, true],
  ["a notin (b)", { a: "b" }, false],
  ["a=b,c in (d),!e", { a: "b", c: "d" }, true],
  ["a>1", { a: "2" }, true],
  ["a<1", { a: "2" }, false],
  ["a>1", { a: "x" }, false],
  ["a=", { a: "" }, true],
  ["example.com/a=b", { "example.com/a": "b" }, true],
  ["constructor", {}, false],
])("%s on %j is %s", (selector, labels, expected) => {
  expect(parseLabelSelector(selector)(labels)).toBe(expected);
});

test.each(["a in", "a in b", "=b", "a=b=c", "a in (b", ",", "a>x"])("%s is refused", (selector) => {
  expect(() => parseLabelSelector(selector)).toThrow(
    expect.objectContaining({ status: expect.objectContaining({ code: 400 }) }),
  );
});

test("property: any text is parsed or refused with 400", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "b", ",", "(", ")", "=", "!", " ", "in", "notin", ">") }),
      (text) => {
        try {
          parseLabelSelector(text)({ a: "b" });
        } catch (error) {
          expect(error).toMatchObject({ status: { code: 400 } });
        }
      },
    ),
  );
});

test("field selectors know equal and unequal, and only the fields that they may", () => {
  const match = parseFieldSelector("metadata.name=a,status.phase!=Failed", ["metadata.name", "status.phase"]);
  expect(match({ "metadata.name": "a", "status.phase": "Running" })).toBe(true);
  expect(match({ "metadata.name": "a", "status.phase": "Failed" })).toBe(false);
  expect(() => parseFieldSelector("spec.x=1", ["metadata.name"])).toThrow("field label not supported: spec.x");
});
