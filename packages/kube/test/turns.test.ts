// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { takeTurns } from "../src/turns.ts";

/** Counts turns of the event loop until it is disposed of. */
function countTurns(): Disposable & { count: number } {
  const counter = { count: 0, [Symbol.dispose]: () => clearImmediate(next) };
  const turn = (): void => {
    counter.count++;
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  return counter;
}

test("a turn goes on for two milliseconds from the first question; then other work has its own", async () => {
  let now = 0;
  const turns = takeTurns({ now: () => now });
  using others = countTurns();
  now = 7;
  expect(turns.pause()).toBeUndefined();
  now = 8.9;
  expect(turns.pause()).toBeUndefined();
  now = 9;
  await turns.pause();
  expect(others.count).toBeGreaterThan(0);
  expect(turns.pause()).toBeUndefined();
});

test("what is done after a rest is done in another turn", async () => {
  let now = 0;
  const turns = takeTurns({ now: () => now });
  expect(turns.pause()).toBeUndefined();
  await new Promise((resolve) => setImmediate(resolve));
  now = 100;
  expect(turns.pause()).toBeUndefined();
});

test("of several tasks that wait each has a turn of its own, in their order", async () => {
  let now = 0;
  const turns = takeTurns({ now: () => now });
  using others = countTurns();
  const seen: [task: number, turn: number][] = [];
  const task = async (number: number): Promise<void> => {
    const pause = turns.pause();
    if (pause !== undefined) await pause;
    seen.push([number, others.count]);
    now += 10;
  };
  await Promise.all([0, 1, 2, 3].map(task));
  expect(seen.map(([number]) => number)).toEqual([0, 1, 2, 3]);
  expect(new Set(seen.map(([, turn]) => turn)).size).toBe(4);
});
