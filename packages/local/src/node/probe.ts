// SPDX-License-Identifier: Apache-2.0
import type { Probe } from "@hot/spec";

export type ProbeKind = "startup" | "readiness" | "liveness";

/** Runs of equal results so far, and the verdict that follows from them. */
export interface ProbeState {
  readonly last: boolean | undefined;
  readonly run: number;
  /** What counts for the container; undefined = not known yet. */
  readonly verdict: boolean | undefined;
  /** A failed liveness or startup probe is not run again: its container will be killed. */
  readonly onHold: boolean;
}

/** Before the first result: not ready, alive, and startup unknown. */
export function initialProbeState(kind: ProbeKind): ProbeState {
  const verdict = kind === "readiness" ? false : kind === "liveness" ? true : undefined;
  return { last: undefined, run: 0, verdict, onHold: false };
}

/** State × result → state: the verdict changes once the threshold of equal results in a row is reached. */
export function afterResult(kind: ProbeKind, probe: Probe, state: ProbeState, success: boolean): ProbeState {
  const run = state.last === success ? state.run + 1 : 1;
  const threshold = success ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
  if (run < threshold) return { ...state, last: success, run };
  const onHold = !success && kind !== "readiness";
  return { last: success, run: onHold ? 0 : run, verdict: success, onHold };
}

/** What a probe looks at before it runs. */
export interface ProbeTarget {
  running: boolean;
  started: boolean;
  startedAt: number;
}

/** Milliseconds until the probe may run for the first time; undefined = not now (something else must happen first). */
export function probeDelay(
  kind: ProbeKind,
  probe: Probe,
  state: ProbeState,
  target: ProbeTarget,
  now: number,
): number | undefined {
  if (!target.running || state.onHold) return undefined;
  if (kind === "startup" ? target.started : !target.started) return undefined;
  return Math.max(0, target.startedAt + (probe.initialDelaySeconds ?? 0) * 1000 - now);
}
