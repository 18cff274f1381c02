// SPDX-License-Identifier: Apache-2.0
import type { SidecarSetStatus } from "@hot/spec";

/** Between two writes that only move counters and texts on, in milliseconds. */
const INTERVAL = 500;
/** After a write that has failed again and again, in milliseconds. */
const LONGEST = 8_000;

/** What the API server holds, as far as it is known. */
export interface Stored {
  readonly status: Partial<SidecarSetStatus>;
  /** Of the SidecarSet. */
  readonly version: string;
}

/**
 * Status writes of a rollout of many pods: the first change goes out at once, then at most two a second for each
 * SidecarSet. What scripts and `kubectl wait` go by is held back only where the API server would not have it for this
 * very version: each event of a pod would be one more attempt.
 */
export interface StatusPace {
  /** How long this status has to wait, in milliseconds; 0: write it now. */
  wait(name: string, stored: Stored, status: SidecarSetStatus): number;
  wrote(name: string): void;
  /** @param version - that the write was meant for */
  failed(name: string, version: string): void;
  forget(name: string): void;
}

interface Attempt {
  readonly at: number;
  /** In a row, up to this one. */
  readonly failures: number;
  /** Absent: it was written. */
  readonly version?: string;
}

export function createStatusPace(now: () => number): StatusPace {
  const last = new Map<string, Attempt>();
  return {
    wait: (name, { status: before, version }, status) => {
      const attempt = last.get(name);
      if (attempt === undefined) return 0;
      const { at, failures, version: failed } = attempt;
      if (failed === version) return Math.max(0, at + Math.min(INTERVAL * 2 ** (failures - 1), LONGEST) - now());
      return decisive(before) === decisive(status) ? Math.max(0, at + INTERVAL - now()) : 0;
    },
    wrote: (name) => void last.set(name, { at: now(), failures: 0 }),
    failed: (name, version) =>
      void last.set(name, { at: now(), failures: (last.get(name)?.failures ?? 0) + 1, version }),
    forget: (name) => void last.delete(name),
  };
}

/** All but counters, and the words of conditions. */
function decisive({ observedGeneration, latestRevision, conditions = [] }: Partial<SidecarSetStatus>): string {
  const verdicts = conditions.map((one) => `${one.type} ${one.status} ${one.observedGeneration}`).sort();
  return JSON.stringify([observedGeneration, latestRevision, verdicts]);
}
