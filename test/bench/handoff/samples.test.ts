// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { Samples } from "../../../bench/handoff/accounting/samples.ts";

function samplesOf(...all: readonly (readonly [end: number, tookMs: number])[]): Samples {
  const samples = new Samples();
  for (const [end, tookMs] of all) samples.add(end, tookMs);
  return samples;
}

test("latencies are told apart by windows that overlap and come in any order; a boundary is inside", () => {
  const samples = samplesOf([5, 1], [10, 2], [20, 3], [29, 4], [30, 5], [31, 6], [50, 7], [55, 8]);
  const windows = [
    { from: 50, to: 52 },
    { from: 18, to: 30 },
    { from: 10, to: 20 },
  ];
  const { inside, outside } = samples.quantiles(windows);
  expect(inside).toEqual({ count: 5, p50: 4, p99: 7, max: 7 });
  expect(outside).toEqual({ count: 3, p50: 6, p99: 8, max: 8 });
});

test("the 99th percentile of a hundred is the last but one, whatever the order", () => {
  const samples = new Samples();
  for (let index = 100; index > 0; index--) samples.add(1_000 - index, index);
  expect(samples.quantiles([]).outside).toEqual({ count: 100, p50: 50, p99: 99, max: 100 });
});

test("nothing measured is no figure, rather than a good one", () => {
  expect(samplesOf().quantiles([]).inside.p99).toBeNaN();
  expect(samplesOf([1, 1]).recovery(2)).toBeNaN();
});

test("the longest gap is between two successes; with windows, of those that touch one", () => {
  const samples = samplesOf([0, 0], [100, 0], [110, 0], [150, 0], [160, 0]);
  expect(samples.longestGap()).toEqual({ ms: 100, from: 0 });
  expect(samples.longestGap([{ from: 120, to: 130 }])).toEqual({ ms: 40, from: 110 });
  expect(samples.longestGap([{ from: 200, to: 300 }]).ms).toBe(0);
});

test("recovery is the first answer to what began after the blow: one that was under way does not count", () => {
  const samples = samplesOf([100, 5], [108, 20], [130, 25], [140, 5]);
  expect(samples.recovery(104)).toBe(26);
});

test("more samples than there was room for at first are all there", () => {
  const samples = new Samples();
  for (let index = 0; index < 5_000; index++) samples.add(index, 1);
  expect(samples.quantiles([{ from: 0, to: 4_999 }]).inside).toEqual({ count: 5_000, p50: 1, p99: 1, max: 1 });
});
