// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { buildHarness, HARNESSES, seedsOf } from "../../fuzz/harness.ts";
import { folder } from "./descriptors.ts";

// The same claims as under libFuzzer (`pnpm --filter @hot/fd-transfer fuzz`), with the compiler that built the addon.
test.each(HARNESSES)(
  "10,000 hostile inputs (%s) break no claim under AddressSanitizer",
  (harness) => {
    const program = buildHarness(harness, "random", folder());
    const seeds = seedsOf(harness);
    expect(seeds.length).toBeGreaterThan(5);
    const { status, stdout, stderr } = spawnSync(program, ["10000", ...seeds], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(Number(stdout)).toBe(10_000 + seeds.length);
  },
  300_000,
);
