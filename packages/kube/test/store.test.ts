// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareResourceVersions } from "../src/resource-version.ts";
import { createVersionedStore } from "../src/store.ts";

describe("comparing resourceVersions", () => {
  test("is comparing numbers of any length", () => {
    const version = fc.bigInt({ min: 1n, max: 2n ** 70n });
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(Math.sign(compareResourceVersions(String(a), String(b)) ?? NaN)).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  test.each([
    [undefined, "1"],
    ["1", undefined],
    ["", "1"],
    ["abc", "1"],
    ["0", "1"],
    ["01", "1"],
    ["1.5", "1"],
  ])("%j and %j can't be compared", (a, b) => {
    expect(compareResourceVersions(a, b)).toBeUndefined();
  });
});

describe("a server whose resourceVersions are no numbers", () => {
  const object = (resourceVersion: string) => ({ metadata: { name: "a", uid: "u", resourceVersion } });

  test("has the last word", () => {
    const known = createVersionedStore<string>();
    known.set({ object: "first", uid: "u", resourceVersion: "zz" }, "a");
    expect(known.isStale(object("aa"))).toBe(false);
    expect(known.delete(object("bb"))).toHaveLength(1);
    expect(known.isStale(object("aa"))).toBe(false);
  });
});

test("deletions that are remembered are bounded: the oldest are forgotten first", () => {
  const known = createVersionedStore<string>();
  const object = (name: string, version: number) => ({
    metadata: { name, uid: name, resourceVersion: String(version) },
  });
  for (let i = 0; i <= 10_000; i++) known.delete(object(`pod-${i}`, 100 + i));
  expect(known.isStale(object("pod-10000", 99))).toBe(true);
  expect(known.isStale(object("pod-1", 99))).toBe(true);
  expect(known.isStale(object("pod-0", 99))).toBe(false);
});
