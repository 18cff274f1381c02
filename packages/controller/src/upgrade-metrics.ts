// SPDX-License-Identifier: Apache-2.0
import type { OnMetric } from "./effects.ts";
import type { PlannedEvent } from "./plan/events.ts";

interface Times {
  readonly startedAt?: number;
  readonly takenOverAt?: number;
}

/** Upgrades that are under way at once; the oldest is forgotten beyond. */
const MOST = 10_000;

/**
 * Counts hot upgrades and how long they take, from what is said about them. Phases: `migration` (image written to
 * takeover seen), `reset` (takeover seen to the old side's empty image written), `whole`. Outcomes: `done`, `aborted`.
 * An upgrade that began in an earlier term is counted, but nobody knows how long it took.
 */
export function observeUpgrades(onMetric: OnMetric, now: () => number): (event: PlannedEvent) => void {
  const byPod = new Map<string, Times>();

  const put = (uid: string, times: Times): void => {
    byPod.delete(uid);
    byPod.set(uid, times);
    const [oldest] = byPod.keys();
    if (byPod.size > MOST && oldest !== undefined) byPod.delete(oldest);
  };

  const took = (phase: string, outcome: string, since: number | undefined): void => {
    if (since !== undefined) onMetric("hot_upgrade_duration_seconds", { phase, outcome }, (now() - since) / 1000);
  };

  const end = (uid: string, outcome: "done" | "aborted"): void => {
    const { startedAt, takenOverAt } = byPod.get(uid) ?? {};
    byPod.delete(uid);
    onMetric("hot_upgrade_total", { outcome }, 1);
    if (takenOverAt !== undefined) took("reset", outcome, takenOverAt);
    else if (outcome === "aborted") took("migration", outcome, startedAt);
    took("whole", outcome, startedAt);
  };

  return ({ reason, pod }) => {
    const uid = pod?.uid;
    if (uid === undefined) return;
    if (reason === "HotUpgradeStarted") put(uid, { startedAt: now() });
    if (reason === "TakeoverObserved") {
      const { startedAt } = byPod.get(uid) ?? {};
      took("migration", "done", startedAt);
      if (startedAt !== undefined) put(uid, { startedAt, takenOverAt: now() });
    }
    if (reason === "ContainerReset") end(uid, "done");
    if (reason === "HotUpgradeAborted") end(uid, "aborted");
  };
}
