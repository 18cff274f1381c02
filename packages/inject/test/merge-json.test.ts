// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeJsonText } from "../src/merge-json.ts";

/** As Kruise's library answers, text for text, but for nulls in arrays (see docs/compatibility.md). */
it.each([
  ['{"a":1.0,"b":1e3,"c":12345678901234567890}', '{"d":0.10}', '{"a":1.0,"b":1e3,"c":12345678901234567890,"d":0.10}'],
  ['{"e":"\\u00e9","s":"a\\/b"}', '{"z":1}', '{"e":"\\u00e9","s":"a\\/b","z":1}'],
  ['{ "a" : [ 1 , 2 ] }', '{"b":{"y":1,"x":2}}', '{"a":[1,2],"b":{"x":2,"y":1}}'],
  ['{"z":1,"a":{"q":1,"r":2}}', '{"a":{"q":null,"n":[1,null]}}', '{"a":{"n":[1,null],"r":2},"z":1}'],
  ['{"z":1,"kept":{"b":1,"a":2}}', '{"c":2}', '{"c":2,"kept":{"b":1,"a":2},"z":1}'],
  ['{"9":1,"10":{"b":1,"5":2}}', '{"8":0}', '{"10":{"b":1,"5":2},"8":0,"9":1}'],
  ['{"<a>":"x&y"}', '{"\\u003cb\\"":"\\u2028"}', '{"\\u003ca\\u003e":"x\\u0026y","\\u003cb\\"":"\\u2028"}'],
  ['{"a":"\\\\","b":"\\\\\\"}"}', '{"a":null}', '{"b":"\\\\\\"}"}'],
  ['{"__proto__":{"a":1},"constructor":2}', '{"__proto__":{"b":2}}', '{"__proto__":{"a":1,"b":2},"constructor":2}'],
  ["[1,2]", '{"a":null,"b":1}', '{"b":1}'],
  ["5", '{"a":1}', '{"a":1}'],
  ['{"a":1}', "[ { } , [] ]", "[{},[]]"],
  ['{"a":1}', "{}", '{"a":1}'],
])("%s merged with %s", (original, patch, expected) => {
  expect(mergeJsonText(original, patch)?.text).toBe(expected);
});

it.each([
  ["null", "{}"],
  ["{}", "5"],
  ["{}", '"text"'],
  ["{}", "null"],
  ["{}", '{"a":1'],
  ["", "{}"],
  ["{a:1}", "{}"],
  ["[".repeat(1001) + "]".repeat(1001), "{}"],
])("%j can't be merged with %j", (original, patch) => {
  expect(mergeJsonText(original, patch)).toBeUndefined();
});

describe("of any JSON", () => {
  const spaced = fc
    .tuple(fc.jsonValue(), fc.constantFrom("", " ", "\t"))
    .map(([value, space]) => JSON.stringify(value, null, space));
  const any = { numRuns: 2000, seed: 5 };

  it("property: an empty patch changes nothing but the order of the first level", () => {
    fc.assert(
      fc.property(spaced, (text) => {
        const value = JSON.parse(text) as unknown;
        const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
        fc.pre(value !== null);
        expect(JSON.parse(mergeJsonText(text, "{}")?.text ?? "")).toEqual(isObject ? value : {});
      }),
      any,
    );
  });

  it("property: a patch of arrays takes the place of everything", () => {
    fc.assert(
      fc.property(spaced, (text) => {
        expect(JSON.parse(mergeJsonText("{}", `[${text}]`)?.text ?? "")).toEqual([JSON.parse(text)]);
      }),
      any,
    );
  });

  it("property: a merge that only takes nulls away is known as such", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (value, other) => {
        const text = JSON.stringify({ no: null, value: [value], deep: { value, no: null } });
        expect(mergeJsonText(text, '{"no":null,"deep":{"no":null}}')?.isSameButNulls()).toBe(true);
        expect(mergeJsonText(text, JSON.stringify({ other: [other] }))?.isSameButNulls()).toBe(false);
        expect(mergeJsonText(text, '{"value":null}')?.isSameButNulls()).toBe(false);
        expect(mergeJsonText(text, JSON.stringify({ value: [value, other] }))?.isSameButNulls()).toBe(false);
      }),
      any,
    );
  });
});
