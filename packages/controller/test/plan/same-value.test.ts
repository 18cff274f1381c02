// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { createAlike } from "../../src/plan/alike.ts";
import { isSameValue, sketchOf } from "../../src/plan/same-value.ts";
import { shared } from "../../src/plan/shared-values.ts";

const VALUES = [
  "",
  "a",
  `${"long ".repeat(50)}a`,
  `${"long ".repeat(50)}b`,
  0,
  1,
  true,
  null,
  [],
  {},
  [[]],
  [0],
  [0, 1],
  { a: 1 },
  { a: 1, b: [1, { c: "x" }] },
  { a: 1, b: [1, { c: "y" }] },
  { a: { b: {} } },
  JSON.parse('{"__proto__":{},"a":1}'),
  JSON.parse('{"a":1,"toString":{}}'),
];

test("a value is the same as its copy only, and its copy has the same sketch", () => {
  for (const [at, one] of VALUES.entries()) {
    const copy: unknown = JSON.parse(JSON.stringify(one));
    const same = VALUES.flatMap((other, index) => (isSameValue(copy, other) ? [index] : []));
    expect(same, JSON.stringify(one)).toEqual([at]);
    expect(sketchOf(copy)).toBe(sketchOf(one));
  }
});

test("what is made of a value is made once, whatever other values have the same sketch", () => {
  // A long text is sketched by some of its characters; these differ in another one.
  const text = (at: number): string => `${"x".repeat(65)}${at}${"x".repeat(3)}`;
  expect(sketchOf(text(1))).toBe(sketchOf(text(2)));
  let made = 0;
  const keep = shared(100, (value: { text: string }) => ({ value, number: made++ }));
  for (const _ of [1, 2]) for (const at of [1, 2, 3]) expect(keep({ text: text(at) }).value.text).toBe(text(at));
  expect(made).toBe(3);
});

test("what is too much is forgotten: neither all of it nor what is alike grows without an end", () => {
  const known = createAlike<number>(100);
  for (let one = 0; one < 1_000; one++) {
    known.add(7, one);
    known.add(1_000 + one, one);
    expect(known.of(7)).toContain(one);
    expect(known.of(7).length).toBeLessThanOrEqual(16);
  }
  expect(known.of(1_000)).toEqual([]);
});
