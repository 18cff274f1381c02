// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { applyPatch, diff, JsonPatchError, type JsonPatchOperation } from "@hot/inject";

const named = (...names: string[]): { name: string }[] => names.map((name) => ({ name }));

test("equal documents give no operation", () => {
  expect(diff({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toEqual([]);
});

test("a member that is undefined counts as absent", () => {
  expect(diff({ a: 1 }, { a: 1, b: undefined })).toEqual([]);
});

test("an inserted container is one add and its neighbours stay untouched", () => {
  expect(diff({ c: named("main") }, { c: named("x-1", "main", "x-2") })).toEqual([
    { op: "add", path: "/c/0", value: { name: "x-1" } },
    { op: "add", path: "/c/2", value: { name: "x-2" } },
  ]);
});

test("a change inside a named item is addressed at the item's final place", () => {
  const before = [{ name: "gone" }, { name: "main", image: "a" }];
  const after = [{ name: "new" }, { name: "main", image: "b" }];
  expect(diff(before, after)).toEqual([
    { op: "remove", path: "/0" },
    { op: "add", path: "/0", value: { name: "new" } },
    { op: "replace", path: "/1/image", value: "b" },
  ]);
});

test("a named item that changes its place is moved, not rewritten", () => {
  expect(diff(named("a", "b", "c"), named("c", "a", "b"))).toEqual([{ op: "move", from: "/2", path: "/0" }]);
});

test("items without a name are appended where the start is equal, else the array is replaced", () => {
  expect(diff({ m: [{ p: 1 }] }, { m: [{ p: 1 }, { p: 2 }] })).toEqual([{ op: "add", path: "/m/-", value: { p: 2 } }]);
  expect(diff({ m: [1, 2] }, { m: [2] })).toEqual([{ op: "replace", path: "/m", value: [2] }]);
});

test("two items of one name are not told apart by name: the array is replaced", () => {
  const before = { env: [...named("A"), { name: "A", value: "1" }] };
  const after = { env: [{ name: "A", value: "1" }] };
  expect(applyPatch(before, diff(before, after))).toEqual(after);
});

test("keys with / and ~ are escaped, and __proto__ is a key like any other", () => {
  const after = JSON.parse('{"a/b":1,"~1":2,"__proto__":{"polluted":true},"":3}') as object;
  const patch = diff({}, after);
  expect(patch.map(({ path }) => path).sort()).toEqual(["/", "/__proto__", "/a~1b", "/~01"]);
  const result = applyPatch({}, patch);
  expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  expect(JSON.stringify(result)).toBe(JSON.stringify(after));
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test.each([
  ["a path that does not exist", { a: 1 }, [{ op: "remove", path: "/b" }]],
  ["a replace of what is not there", { a: 1 }, [{ op: "replace", path: "/b", value: 1 }]],
  ["an index beyond the end", { a: [1] }, [{ op: "add", path: "/a/2", value: 1 }]],
  ["an index with a leading zero", { a: [1, 2] }, [{ op: "remove", path: "/a/01" }]],
  ["a path through a scalar", { a: 1 }, [{ op: "add", path: "/a/b", value: 1 }]],
  ["an inherited member", {}, [{ op: "remove", path: "/toString" }]],
  ["a pointer without a slash", {}, [{ op: "add", path: "a", value: 1 }]],
] as const)("applyPatch refuses %s", (_what, document, patch) => {
  expect(() => applyPatch(document, patch)).toThrow(JsonPatchError);
});

test.each<[string, object]>([
  ["of another kind", { op: "test", path: "/a", value: 2 }],
  ["without a value", { op: "add", path: "/b" }],
  ["without a path", { op: "remove" }],
])("applyPatch refuses an operation %s, as a patch from elsewhere may have", (_what, operation) => {
  expect(() => applyPatch({ a: 1 }, [operation as JsonPatchOperation])).toThrow(JsonPatchError);
});

test("applyPatch leaves its input alone", () => {
  const document = { list: named("a") };
  applyPatch(document, [{ op: "add", path: "/list/-", value: { name: "b" } }]);
  expect(document).toEqual({ list: named("a") });
});

const key = fc.oneof(fc.constantFrom("__proto__", "constructor", "/", "~", "~1", "", "0", "-", "name"), fc.string());
const tree = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(fc.constantFrom(null, true, 0, -1.5, "", "name"), fc.string(), fc.integer()),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
    fc.uniqueArray(fc.record({ name: fc.constantFrom("a", "b", "c", "d", "__proto__"), v: tie("value") }), {
      maxLength: 4,
      selector: ({ name }) => name,
    }),
  ),
})).value;

test("property: applyPatch(a, diff(a, b)) equals b", () => {
  fc.assert(
    fc.property(tree, tree, (a, b) => {
      // Through text, so that -0 and prototypes can't differ: these are JSON documents.
      const [before, after] = [JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))] as [unknown, unknown];
      const result = applyPatch(before, diff(before, after));
      expect(sorted(result)).toBe(sorted(after));
      expect(diff(result, after)).toEqual([]);
    }),
    { numRuns: 2000 },
  );
});

test("property: named lists in any order, any of them missing or new", () => {
  const names = fc.shuffledSubarray(["a", "b", "c", "d", "e", "f"]);
  fc.assert(
    fc.property(names, names, (a, b) => {
      expect(applyPatch(named(...a), diff(named(...a), named(...b)))).toEqual(named(...b));
    }),
    { numRuns: 2000 },
  );
});

/** Text with sorted keys; unlike toEqual it tells own `__proto__` members apart. */
function sorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((k) => `${JSON.stringify(k)}:${sorted((value as Record<string, unknown>)[k])}`).join()}}`;
}
