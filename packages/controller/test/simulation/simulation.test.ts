// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { simulate } from "./simulate.ts";

test("no seed breaks an invariant", async () => {
  const failures: string[] = [];
  for (let seed = 1; seed <= 60; seed++) {
    const { violation } = await simulate(seed);
    if (violation !== undefined) failures.push(`seed ${seed}: ${violation}`);
  }
  expect(failures).toEqual([]);
}, 120_000);

test("a seed replays exactly", async () => {
  const once = await simulate(11, true);
  const again = await simulate(11, true);
  expect(again).toEqual(once);
  expect(once.trace?.length).toBeGreaterThan(10);
});
