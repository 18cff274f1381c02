// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { allocateAddress } from "../../src/node/address.ts";

test("an address is one of 127.1.0.1 … 127.254.255.254, and the same for the same uid", () => {
  fc.assert(
    fc.property(fc.uuid(), (uid) => {
      const address = allocateAddress(uid, new Set());
      const [first = 0, second = 0, third = 0, fourth = 0] = address.split(".").map(Number);
      expect(first).toBe(127);
      expect(second).toBeGreaterThanOrEqual(1);
      expect(second).toBeLessThanOrEqual(254);
      expect(third).toBeLessThanOrEqual(255);
      expect(fourth).toBeGreaterThanOrEqual(1);
      expect(fourth).toBeLessThanOrEqual(254);
      expect(allocateAddress(uid, new Set())).toBe(address);
    }),
  );
});

test("an address that a living pod has is not given again", () => {
  const taken = new Set<string>();
  for (let i = 0; i < 600; i++) taken.add(allocateAddress("the same uid", taken));
  expect(taken.size).toBe(600);
});
