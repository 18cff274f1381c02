// SPDX-License-Identifier: Apache-2.0
import { kinds, total, type Kind, type TallySnapshot } from "./load/tally.ts";

/** One hot upgrade of all pods. */
export interface UpgradeResult {
  from: string;
  to: string;
  /** Milliseconds from the change of the SidecarSet until the pod was updated, reset and ready. */
  podMs: Record<string, number>;
}

export interface AbortResult {
  image: string;
  /** Reason code of the `Stalled` condition. */
  reason: string;
  message: string;
  pods: number;
  /** Answers after the abort by `<version>/<container>`. */
  answeredBy: Record<string, number>;
}

export interface Run {
  seconds: number;
  tally: TallySnapshot;
  upgrades: UpgradeResult[];
  aborts: AbortResult[];
}

/** The line that `--json` prints; a contract. */
export interface Summary {
  ok: boolean;
  requests: number;
  failed: number;
  failedByKind: Record<Kind, number>;
  lostConnections: number;
  upgrades: number;
  aborted: { image: string; reason: string; pods: number; answeredBy: Record<string, number> }[];
  longestGapMs: number;
  upgradeMs: { p50: number; max: number };
  requestsPerSecond: number;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** What the run proves. `wanted` is how many upgrades and aborts it was meant to make. */
export function summarise(run: Run, wanted: { upgrades: number; aborts: number; answersFrom: string }): Summary {
  const { tally } = run;
  const times = run.upgrades.flatMap(({ podMs }) => Object.values(podMs)).toSorted((a, b) => a - b);
  const failed = total(tally.failed);
  const lostConnections = total(tally.lostConnections);
  const unanswered = total(tally.requests) - total(tally.answered) - failed;
  const oldSideWentOn = run.aborts.every(({ answeredBy }) => {
    const versions = Object.keys(answeredBy).map((sidecar) => sidecar.split("/")[0]);
    return versions.length > 0 && versions.every((version) => version === wanted.answersFrom);
  });
  return {
    ok:
      failed === 0 &&
      unanswered === 0 &&
      lostConnections === 0 &&
      run.upgrades.length === wanted.upgrades &&
      run.aborts.length === wanted.aborts &&
      oldSideWentOn &&
      total(tally.requests) > 0,
    requests: total(tally.requests),
    failed,
    failedByKind: tally.failed,
    lostConnections,
    upgrades: run.upgrades.length,
    aborted: run.aborts.map(({ image, reason, pods, answeredBy }) => ({ image, reason, pods, answeredBy })),
    longestGapMs: Math.round(Math.max(0, ...Object.values(tally.longestGapMs))),
    upgradeMs: { p50: Math.round(percentile(times, 0.5)), max: Math.round(times.at(-1) ?? 0) },
    requestsPerSecond: Math.round(total(tally.answered) / run.seconds),
  };
}

const number = (value: number): string => value.toLocaleString("en-US");

/** The summary for people, a line an item. */
export function describe(run: Run, summary: Summary): string[] {
  const { tally } = run;
  const lines = [
    `${"traffic".padEnd(16)}${["sent", "answered", "failed", "lost"].map((head) => head.padStart(10)).join("")}`,
    ...kinds.map((kind) => {
      const cells = [tally.requests[kind], tally.answered[kind], tally.failed[kind], tally.lostConnections[kind]];
      return `  ${kind.padEnd(14)}${cells.map((cell) => number(cell).padStart(10)).join("")}`;
    }),
    `requests         ${number(summary.requests)} in ${Math.round(run.seconds)} s (${number(summary.requestsPerSecond)}/s)`,
    `longest gap      ${summary.longestGapMs} ms without an answer from a pod`,
    `hot upgrades     ${run.upgrades.map(({ from, to }) => `${from} -> ${to}`).join(", ")}`,
    `time per pod     p50 ${number(summary.upgradeMs.p50)} ms, max ${number(summary.upgradeMs.max)} ms (until updated, reset and ready)`,
    ...run.aborts.flatMap(({ image, reason, pods, answeredBy }) => [
      `aborted          ${image} on ${pods} pod(s): ${reason}`,
      ...Object.entries(answeredBy).map(
        ([sidecar, answers]) => `                 afterwards ${sidecar} gave ${number(answers)} answers`,
      ),
    ]),
    ...tally.failures.map((failure) => `  ! ${failure}`),
  ];
  return [...lines, summary.ok ? "nothing failed" : "FAILED: see above"];
}
