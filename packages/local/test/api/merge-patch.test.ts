// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { applyMergePatch } from "../../src/api/merge-patch.ts";

/** The test cases of RFC 7386, appendix A. */
test.each<[unknown, unknown, unknown]>([
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [
    ["a", "b"],
    ["c", "d"],
    ["c", "d"],
  ],
  [{ a: "b" }, ["c"], ["c"]],
  [{ a: "foo" }, null, null],
  [{ a: "foo" }, "bar", "bar"],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: "b", c: null }, { a: "b" }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])("RFC 7386: %j with %j is %j", (document, patch, expected) => {
  const before = structuredClone(document);
  expect(applyMergePatch(document, patch)).toEqual(expected);
  expect(document).toEqual(before);
});

const json = fc.jsonValue({ maxDepth: 3 });

test("property: applying a patch twice is applying it once, and the empty patch changes nothing", () => {
  fc.assert(
    fc.property(json, json, (document, patch) => {
      const once = applyMergePatch(document, patch);
      expect(applyMergePatch(once, patch)).toEqual(once);
      if (typeof document === "object" && document !== null && !Array.isArray(document))
        expect(applyMergePatch(document, {})).toEqual(document);
    }),
  );
});

test("a member called __proto__ is a member", () => {
  const result = applyMergePatch({}, JSON.parse('{"__proto__":{"a":1}}'));
  expect(Object.keys(result as object)).toEqual(["__proto__"]);
  expect(({} as Record<string, unknown>).a).toBeUndefined();
});
