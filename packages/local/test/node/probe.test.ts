// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { afterResult, initialProbeState, probeDelay, type ProbeKind, type ProbeState } from "../../src/node/probe.ts";

/** Verdicts after each result: `+` success, `-` failure. */
function verdicts(
  kind: ProbeKind,
  results: string,
  thresholds: { successThreshold?: number; failureThreshold?: number } = {},
): string {
  let state = initialProbeState(kind);
  return results
    .split("")
    .map((result) => {
      state = afterResult(kind, thresholds, state, result === "+");
      return state.verdict === undefined ? "?" : state.verdict ? "+" : "-";
    })
    .join("");
}

test.each<[string, ProbeKind, string, object, string]>([
  ["ready with the first success, not ready with the third failure", "readiness", "-+--+---", {}, "-++++++-"],
  ["a threshold of 1", "readiness", "+-+-", { failureThreshold: 1 }, "+-+-"],
  ["successes in a row are needed", "readiness", "+-++", { successThreshold: 2, failureThreshold: 1 }, "---+"],
  ["alive until the third failure in a row", "liveness", "--+---", {}, "+++++-"],
  ["startup is unknown until a verdict", "startup", "--+", {}, "??+"],
  ["startup fails at its threshold", "startup", "---", {}, "??-"],
])("%s", (_what, kind, results, thresholds, expected) => {
  expect(verdicts(kind, results, thresholds)).toBe(expected);
});

test("a failed liveness or startup probe stops, a failed readiness probe goes on", () => {
  const failed = (kind: ProbeKind): ProbeState =>
    afterResult(kind, { failureThreshold: 1 }, initialProbeState(kind), false);
  expect((["liveness", "startup", "readiness"] as const).map((kind) => failed(kind).onHold)).toEqual([
    true,
    true,
    false,
  ]);
});

test.each<[string, ProbeKind, object, object, number | undefined]>([
  ["at once without an initial delay", "readiness", {}, {}, 0],
  ["after the initial delay, counted from the start", "readiness", { initialDelaySeconds: 5 }, {}, 3000],
  ["not while the container does not run", "readiness", {}, { running: false }, undefined],
  ["not before the container has started", "liveness", {}, { started: false }, undefined],
  ["the startup probe before it has started", "startup", {}, { started: false }, 0],
  ["the startup probe no more once it has started", "startup", {}, {}, undefined],
])("runs %s", (_what, kind, probe, target, expected) => {
  const now = 12_000;
  const full = { running: true, started: true, startedAt: 10_000, ...target };
  expect(probeDelay(kind, probe, initialProbeState(kind), full, now)).toBe(expected);
});
