// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { TallySnapshot } from "../src/load/tally.ts";
import { usage } from "../src/options.ts";
import { describe as lines, summarise, type Run } from "../src/summary.ts";

const counts = (each: number) => ({ keepAlive: each, newConnection: each, idle: each, slow: each });
const tally = (change: Partial<TallySnapshot> = {}): TallySnapshot => ({
  requests: counts(100),
  answered: counts(100),
  failed: counts(0),
  lostConnections: counts(0),
  answersBySidecar: {},
  longestGapMs: { "web-1": 20.4, "web-2": 31.6 },
  failures: [],
  ...change,
});
const upgrade = (to: string, ...ms: number[]) => ({
  from: "v1",
  to,
  podMs: Object.fromEntries(ms.map((value, index) => [`web-${index}`, value])),
});
const abort = (answeredBy: Record<string, number>) => ({
  image: "v4",
  reason: "RolloutStalled",
  message: "",
  pods: 1,
  answeredBy,
});
const run = (change: Partial<Run> = {}): Run => ({
  seconds: 10,
  tally: tally(),
  upgrades: [upgrade("v2", 100, 300), upgrade("v3", 200, 400)],
  aborts: [abort({ "v3/sidecar-1": 50 })],
  ...change,
});
const wanted = { upgrades: 2, aborts: 1, answersFrom: "v3" };

test("numbers of a run in which nothing failed", () => {
  expect(summarise(run(), wanted)).toEqual({
    ok: true,
    requests: 400,
    failed: 0,
    failedByKind: counts(0),
    lostConnections: 0,
    upgrades: 2,
    aborted: [{ image: "v4", reason: "RolloutStalled", pods: 1, answeredBy: { "v3/sidecar-1": 50 } }],
    longestGapMs: 32,
    upgradeMs: { p50: 300, max: 400 },
    requestsPerSecond: 40,
  });
});

test("what people read fits a terminal of 80 columns", () => {
  const large = run({
    tally: tally({ requests: counts(999_999), answered: counts(999_999) }),
    upgrades: [upgrade("v2", 12_345), upgrade("v3", 12_345), upgrade("v5", 12_345)],
    aborts: [{ ...abort({ "v3/sidecar-1": 999_999 }), reason: "ProgressDeadlineExceeded", pods: 4 }],
  });
  const text = [...lines(large, summarise(large, wanted)), ...usage.split("\n")];
  expect(text.filter((line) => line.length > 80)).toEqual([]);
});

test.each<[string, Partial<Run>]>([
  [
    "one failed request",
    { tally: tally({ failed: { ...counts(0), slow: 1 }, answered: { ...counts(100), slow: 99 } }) },
  ],
  ["one request without an answer", { tally: tally({ answered: { ...counts(100), idle: 99 } }) }],
  ["one lost connection", { tally: tally({ lostConnections: { ...counts(0), idle: 1 } }) }],
  ["no traffic", { tally: tally({ requests: counts(0), answered: counts(0) }) }],
  ["an upgrade that did not happen", { upgrades: [upgrade("v2", 100)] }],
  ["a broken version that was not aborted", { aborts: [] }],
  ["the broken version answered", { aborts: [abort({ "v3/sidecar-1": 50, "v4/sidecar-2": 1 })] }],
  ["nobody answered after the abort", { aborts: [abort({})] }],
])("%s is not ok", (_, change) => {
  const summary = summarise(run(change), wanted);
  expect(summary.ok).toBe(false);
  expect(lines(run(change), summary).at(-1)).toMatch(/^FAILED/);
});
