// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { Account, errorsOf } from "../../../bench/handoff/accounting/account.ts";
import { atMost, gap, kept, lossless, resumed, within } from "../../../bench/handoff/accounting/bar.ts";
import type { LoadReport } from "../../../bench/handoff/client/main.ts";

test("errors are counted by kind, also those lost together, and those in a window apart", () => {
  const account = new Account();
  account.attempts = 12;
  account.success(10, 1, "1");
  account.success(20, 2, "2");
  account.success(30, 2, "2");
  account.error(21, "reset", "one");
  account.error(25, "ended", "five lines", 5);
  account.error(15, "reset", "before");
  account.error(26, "timeout", "none", 0);
  account.connectionClosed(true);
  account.connectionClosed(false);
  const report = account.report([{ from: 20, to: 30 }], [11]);
  expect(report).toMatchObject({
    attempts: 12,
    successes: 3,
    errors: { reset: 2, ended: 5 },
    errorsInside: 6,
    closed: 2,
    closedUnannounced: 1,
    generations: ["1", "2"],
    recoveryMs: [9],
  });
  expect(errorsOf(report)).toBe(7);
});

function reportOf(attempts: number, errors: number, closed = 0): ReturnType<Account["report"]> {
  const account = new Account();
  account.attempts = attempts;
  account.closed = closed;
  account.error(1, "reset", "x", errors);
  return account.report([]);
}

test("an error misses the goal; too few attempts without one decide nothing", () => {
  expect(lossless("x", [reportOf(60, 0), reportOf(40, 0)], 100)).toMatchObject({ measured: "0 of 100", reached: true });
  expect(lossless("x", [reportOf(99, 0)], 100).reached).toBe(null);
  expect(lossless("x", [reportOf(99, 0), reportOf(9, 1)], 100).reached).toBe(false);
  expect(lossless("x", [], 100).reached).toBe(null);
});

test("closed connections are counted against connections times upgrades", () => {
  expect(kept("x", reportOf(1, 0, 40), 4_000, 0.01).reached).toBe(true);
  expect(kept("x", reportOf(1, 0, 41), 4_000, 0.01)).toMatchObject({ measured: "41 of 4,000", reached: false });
  expect(kept("x", reportOf(1, 0, 1), 4_000, 0).reached).toBe(false);
});

test("one that never recovered misses every limit, however many did", () => {
  const fast = Array.from({ length: 30 }, () => 3);
  expect(within("x", fast, { p50: 10, p99: 50 }).reached).toBe(true);
  expect(within("x", [...fast, Number.NaN], { p99: 50 }).reached).toBe(false);
  expect(within("x", [], { p99: 50 }).reached).toBe(null);
  expect(within("x", [11, 11], { p50: 10, p99: 50 }).reached).toBe(false);
  expect(atMost("x", 15, 15, "ms").reached).toBe(false);
});

test("a gap that the machine has by itself decides nothing, one that it has not is ours", () => {
  const load = (ms: number): LoadReport => {
    const account = new Account();
    account.success(0, 1);
    account.success(ms, 1);
    return { classes: { new: account.report([{ from: 0, to: ms }]) } } as unknown as LoadReport;
  };
  expect(gap(load(50), load(20)).reached).toBe(true);
  expect(gap(load(51), load(20)).reached).toBe(false);
  expect(gap(load(51), load(60)).reached).toBe(null);
  expect(gap(load(51), undefined).reached).toBe(false);
});

test("99 of 100 resumed sessions are not more than 99 %", () => {
  const account = new Account();
  Object.assign(account.extra, { offered: 100, resumed: 99 });
  expect(resumed(account.report([])).reached).toBe(false);
  account.extra["resumed"] = 100;
  expect(resumed(account.report([])).reached).toBe(true);
});
