// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyJsonPatch, JsonPatchError } from "../../src/api/json-patch.ts";

/** The examples of RFC 6902, appendix A. */
const RFC: [string, unknown, unknown[], unknown][] = [
  ["A.1 add an object member", { foo: "bar" }, [{ op: "add", path: "/baz", value: "qux" }], { baz: "qux", foo: "bar" }],
  [
    "A.2 add an array element",
    { foo: ["bar", "baz"] },
    [{ op: "add", path: "/foo/1", value: "qux" }],
    { foo: ["bar", "qux", "baz"] },
  ],
  ["A.3 remove an object member", { baz: "qux", foo: "bar" }, [{ op: "remove", path: "/baz" }], { foo: "bar" }],
  [
    "A.4 remove an array element",
    { foo: ["bar", "qux", "baz"] },
    [{ op: "remove", path: "/foo/1" }],
    { foo: ["bar", "baz"] },
  ],
  [
    "A.5 replace a value",
    { baz: "qux", foo: "bar" },
    [{ op: "replace", path: "/baz", value: "boo" }],
    { baz: "boo", foo: "bar" },
  ],
  [
    "A.6 move a value",
    { foo: { bar: "baz", waldo: "fred" }, qux: { corge: "grault" } },
    [{ op: "move", from: "/foo/waldo", path: "/qux/thud" }],
    { foo: { bar: "baz" }, qux: { corge: "grault", thud: "fred" } },
  ],
  [
    "A.7 move an array element",
    { foo: ["all", "grass", "cows", "eat"] },
    [{ op: "move", from: "/foo/1", path: "/foo/3" }],
    { foo: ["all", "cows", "eat", "grass"] },
  ],
  [
    "A.8 test a value",
    { baz: "qux", foo: ["a", 2, "c"] },
    [
      { op: "test", path: "/baz", value: "qux" },
      { op: "test", path: "/foo/1", value: 2 },
    ],
    { baz: "qux", foo: ["a", 2, "c"] },
  ],
  [
    "A.10 add a nested member object",
    { foo: "bar" },
    [{ op: "add", path: "/child", value: { grandchild: {} } }],
    { foo: "bar", child: { grandchild: {} } },
  ],
  [
    "A.11 ignore unrecognized elements",
    { foo: "bar" },
    [{ op: "add", path: "/baz", value: "qux", xyz: 123 }],
    { foo: "bar", baz: "qux" },
  ],
  ["A.14 ~ escape ordering", { "/": 9, "~1": 10 }, [{ op: "test", path: "/~01", value: 10 }], { "/": 9, "~1": 10 }],
  [
    "A.16 add an array value",
    { foo: ["bar"] },
    [{ op: "add", path: "/foo/-", value: ["abc", "def"] }],
    { foo: ["bar", ["abc", "def"]] },
  ],
];

test.each(RFC)("RFC 6902 %s", (_name, document, patch, expected) => {
  expect(applyJsonPatch(document, patch)).toEqual(expected);
});

describe("what does not fit", () => {
  test.each([
    ["A.9 a test that fails", { baz: "qux" }, [{ op: "test", path: "/baz", value: "bar" }]],
    ["A.12 adding below nothing", { foo: "bar" }, [{ op: "add", path: "/baz/bat", value: "qux" }]],
    ["A.15 comparing a text with a number", { "~1": 10 }, [{ op: "test", path: "/~01", value: "10" }]],
    ["removing what is absent", {}, [{ op: "remove", path: "/a" }]],
    ["replacing what is absent", {}, [{ op: "replace", path: "/a", value: 1 }]],
    ["an index past the end", { a: [1] }, [{ op: "add", path: "/a/2", value: 1 }]],
    ["an index with a leading zero", { a: [1, 2] }, [{ op: "remove", path: "/a/01" }]],
    ["moving a value into itself", { a: { b: 1 } }, [{ op: "move", from: "/a", path: "/a/b" }]],
    ["an inherited member", {}, [{ op: "test", path: "/constructor/name", value: "Object" }]],
  ])("%s is an error and leaves the document alone", (_name, document, patch) => {
    const before = structuredClone(document);
    expect(() => applyJsonPatch(document, patch)).toThrow(JsonPatchError);
    expect(document).toEqual(before);
  });

  // Kubernetes answers 400 to what is no list of operations, and 422 to an operation that it cannot carry out.
  test.each([
    ["no list", {}, true],
    ["no operation", [{ op: "fly", path: "/a" }], false],
    ["no path", [{ op: "add" }], false],
    ["no pointer", [{ op: "add", path: "a", value: 1 }], false],
    ["a move from nowhere", [{ op: "move", path: "/a" }], false],
  ])("%s is an error", (_name, patch, malformed) => {
    expect(() => applyJsonPatch({}, patch)).toThrow(expect.objectContaining({ name: "JsonPatchError", malformed }));
  });
});

const key = fc.oneof(fc.constantFrom("a", "b", "~", "/", "__proto__", "constructor"), fc.string({ maxLength: 3 }));
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.integer(),
    fc.string({ maxLength: 3 }),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 3 }),
    tie("object"),
  ),
  object: fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
})).object;
const pointer = (name: string): string => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;

test("property: an added member is read back, removing it restores the document", () => {
  fc.assert(
    fc.property(json, key, json, (document, name, value) => {
      fc.pre(!Object.hasOwn(document, name));
      const added = applyJsonPatch(document, [
        { op: "add", path: pointer(name), value },
        { op: "test", path: pointer(name), value },
      ]);
      expect(Object.keys(added as object).toSorted()).toEqual([...Object.keys(document), name].toSorted());
      expect(JSON.stringify(applyJsonPatch(added, [{ op: "remove", path: pointer(name) }]))).toBe(
        JSON.stringify(document),
      );
    }),
  );
});

test("property: whatever the patch is, it is applied or refused, and no prototype changes", () => {
  const path = fc
    .array(fc.oneof(key, fc.constantFrom("0", "1", "-")), { maxLength: 3 })
    .map((steps) => steps.map(pointer).join(""));
  const operation = fc.record({
    op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test"),
    path,
    from: path,
    value: json,
  });
  fc.assert(
    fc.property(json, fc.array(operation, { maxLength: 5 }), (document, patch) => {
      const before = JSON.stringify(document);
      try {
        applyJsonPatch(document, patch);
      } catch (error) {
        expect(error).toBeInstanceOf(JsonPatchError);
      }
      expect(JSON.stringify(document)).toBe(before);
      expect(Object.keys(Object.prototype)).toEqual([]);
    }),
  );
});
