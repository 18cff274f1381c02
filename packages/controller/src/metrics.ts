// SPDX-License-Identifier: Apache-2.0
import type { OnMetric } from "./effects.ts";
import type { Plan } from "./plan/plan.ts";

/** Reports the state of one SidecarSet's pods; labels never carry pod names. */
export function observePlan(onMetric: OnMetric): (name: string, plan: Plan) => void {
  /** What was reported before, so that a reason that is gone goes back to 0. */
  const blocked = new Map<string, Set<string>>();
  return (name, { status, pods }) => {
    const states = {
      matched: status?.matchedPods ?? 0,
      updated: status?.updatedPods ?? 0,
      ready: status?.readyPods ?? 0,
      upgrading: status?.upgradingPods ?? 0,
      failed: status?.failedPods ?? 0,
    };
    for (const [state, value] of Object.entries(states)) onMetric("hot_sidecarset_pods", { name, state }, value);
    const counts = new Map<string, number>([...(blocked.get(name) ?? [])].map((reason) => [reason, 0]));
    for (const { reason } of pods) {
      if (reason !== "UpToDate") counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    blocked.set(name, new Set(counts.keys()));
    for (const [reason, value] of counts) onMetric("hot_blocked_pods", { name, reason }, value);
  };
}
