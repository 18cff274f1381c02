// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { fuzzCodec } from "../../fuzz/codec.ts";

test("10,000 changed messages: each is refused by a HandoffError or means the same when it is sent on", () => {
  const { runs, decoded } = fuzzCodec(10_000, 20260101);
  expect(runs).toBe(10_000);
  // Both outcomes are met often, else the changes would be too small or too large.
  expect(decoded).toBeGreaterThan(1000);
  expect(decoded).toBeLessThan(9000);
});
