// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { simulateMany } from "./many.ts";
import { simulate } from "./simulate.ts";

const SEEDS = 2_000;

test(`${SEEDS} seeds: no invariant is broken, and all comes to rest`, async () => {
  const { seeds, writes, failures } = await simulateMany({ from: 1, count: SEEDS, workers: 2 });
  expect(failures.map(({ seed, violation }) => `pnpm simulate --seed ${seed} --trace: ${violation}`)).toEqual([]);
  expect(seeds).toBe(SEEDS);
  // Something has happened in them.
  expect(writes).toBeGreaterThan(2 * SEEDS);
}, 1_800_000);

test.each([7, 42, 1234])(
  "seed %i replays byte by byte, in another process too",
  async (seed) => {
    const here = await simulate(seed, true);
    const again = await simulate(seed, true);
    expect(again.trace?.join("\n")).toBe(here.trace?.join("\n"));
    const { steps, writes } = await simulateMany({ from: seed, count: 1, workers: 1 });
    expect([steps, writes]).toEqual([here.steps, here.writes]);
  },
  300_000,
);
