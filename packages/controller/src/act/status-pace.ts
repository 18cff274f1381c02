// SPDX-License-Identifier: Apache-2.0
import type { SidecarSetStatus } from "@hot/spec";

/** Between two writes that only move counters and texts on, in milliseconds. */
const INTERVAL = 500;

/**
 * Status writes of a rollout of many pods: the first change goes out at once, then at most two a second for each
 * SidecarSet. What scripts and `kubectl wait` go by is never held back.
 */
export interface StatusPace {
  /** How long this status has to wait, in milliseconds; 0: write it now. */
  wait(name: string, before: Partial<SidecarSetStatus>, status: SidecarSetStatus): number;
  wrote(name: string): void;
  forget(name: string): void;
}

export function createStatusPace(now: () => number): StatusPace {
  const last = new Map<string, number>();
  return {
    wait: (name, before, status) => {
      const since = last.get(name);
      if (since === undefined || decisive(before) !== decisive(status)) return 0;
      return Math.max(0, since + INTERVAL - now());
    },
    wrote: (name) => void last.set(name, now()),
    forget: (name) => void last.delete(name),
  };
}

/** All but counters, and the words of conditions. */
function decisive({ observedGeneration, latestRevision, conditions = [] }: Partial<SidecarSetStatus>): string {
  const verdicts = conditions.map((one) => `${one.type} ${one.status} ${one.observedGeneration}`).sort();
  return JSON.stringify([observedGeneration, latestRevision, verdicts]);
}
