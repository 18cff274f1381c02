// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { beginTurn, restAfter } from "../../src/act/turn.ts";

function turn(planningMs = 0, plans: readonly string[][] = []) {
  const clock = { now: 0, plans: 0 };
  const planAgain = () => new Set(plans[clock.plans++] ?? []);
  return { clock, turn: beginTurn({ now: () => clock.now, planningMs, planAgain }) };
}

test("what comes in time is admitted, as it was planned", () => {
  const { clock, turn: one } = turn();
  const admitted = Array.from({ length: 1000 }, (_, i) => one.admits(`w${i}`));
  expect([admitted.every(Boolean), one.hasLeft, clock.plans]).toEqual([true, false, 0]);
});

test("after a quarter of a second the rest is left, or after four times as long as the plan took", () => {
  for (const [planningMs, length] of [
    [0, 250],
    [10, 250],
    [500, 2_000],
  ] as const) {
    const { clock, turn: one } = turn(planningMs);
    for (let i = 0; i < 8; i++) one.admits("w");
    clock.now = length - 1;
    expect(one.admits("w")).toBe(true);
    clock.now = length;
    expect([one.admits("w"), one.hasLeft]).toEqual([false, true]);
  }
});

test("once it is over nothing that is left has to ask for itself, unless few were written", () => {
  const [{ clock, turn: one }, { clock: slow, turn: few }] = [turn(), turn(0, [["w"]])];
  for (let i = 0; i < 8; i++) one.admits("w");
  for (let i = 0; i < 7; i++) few.admits("w");
  clock.now = 249;
  expect([one.isOver(), one.hasLeft]).toEqual([false, false]);
  clock.now = slow.now = 250;
  expect([one.isOver(), one.hasLeft]).toEqual([true, true]);
  expect([few.isOver(), few.hasLeft, few.admits("w")]).toEqual([false, false, true]);
});

test("who has written less than a few comes late without being at fault: what a plan of now wants is written", () => {
  const { clock, turn: one } = turn(0, [["b"]]);
  expect(one.admits("a")).toBe(true);
  clock.now = 10_000;
  expect([one.admits("b"), one.hasLeft]).toEqual([true, false]);
  expect([one.admits("c"), one.hasLeft]).toEqual([false, true]);
  expect(clock.plans).toBe(1);
});

test("a plan of now is good for a while, too", () => {
  const { clock, turn: one } = turn(0, [["a", "b"], ["b"]]);
  clock.now = 10_000;
  expect(one.admits("a")).toBe(true);
  clock.now = 10_249;
  expect([one.admits("b"), clock.plans]).toEqual([true, 1]);
  clock.now = 10_250;
  expect([one.admits("a"), clock.plans]).toEqual([false, 2]);
});

test("what needs no plan is written late as well, and nothing is planned for it", () => {
  const { clock, turn: one } = turn();
  clock.now = 10_000;
  expect([one.admits(), clock.plans]).toEqual([true, 0]);
});

test("after a plan without writes there is a rest of four times as long as it took, and of a second at most", () => {
  expect([restAfter(0, 0), restAfter(20, 0), restAfter(20, 60), restAfter(20, 80), restAfter(9_000, 0)]).toEqual([
    0, 80, 20, 0, 1_000,
  ]);
});
