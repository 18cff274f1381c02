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
  const begun = new Map<string, Times>();

  const put = (upgrade: string, times: Times): void => {
    begun.delete(upgrade);
    begun.set(upgrade, times);
    const [oldest] = begun.keys();
    if (begun.size > MOST && oldest !== undefined) begun.delete(oldest);
  };

  const took = (phase: string, outcome: string, since: number | undefined): void => {
    if (since !== undefined) onMetric("hot_upgrade_duration_seconds", { phase, outcome }, (now() - since) / 1000);
  };

  const end = (upgrade: string, outcome: "done" | "aborted"): void => {
    const { startedAt, takenOverAt } = begun.get(upgrade) ?? {};
    begun.delete(upgrade);
    onMetric("hot_upgrade_total", { outcome }, 1);
    if (takenOverAt !== undefined) took("reset", outcome, takenOverAt);
    else if (outcome === "aborted") took("migration", outcome, startedAt);
    took("whole", outcome, startedAt);
  };

  return ({ reason, pod, pair }) => {
    if (pod === undefined || pair === undefined) return;
    const upgrade = `${pod.uid} ${pair}`;
    if (reason === "HotUpgradeStarted") put(upgrade, { startedAt: now() });
    if (reason === "TakeoverObserved") {
      const { startedAt } = begun.get(upgrade) ?? {};
      took("migration", "done", startedAt);
      if (startedAt !== undefined) put(upgrade, { startedAt, takenOverAt: now() });
    }
    if (reason === "ContainerReset") end(upgrade, "done");
    if (reason === "HotUpgradeAborted") end(upgrade, "aborted");
  };
}
