// SPDX-License-Identifier: Apache-2.0
import type { FairGateMetrics, WorkQueueMetrics } from "@hot/kube";
import type { OnMetric } from "./effects.ts";
import type { Plan } from "./plan/plan.ts";

export interface PlanMetrics {
  /** Reports the state of one SidecarSet's pods; labels never carry pod names. */
  observe(name: string, plan: Pick<Plan, "status" | "reasons">): void;
  /** Takes back everything that was reported: this controller knows it no longer. */
  clear(): void;
}

export function createPlanMetrics(onMetric: OnMetric): PlanMetrics {
  /** By SidecarSet: the series that exist. */
  const known = new Map<string, Map<string, [metric: string, label: string, value: string]>>();

  const withdraw = (name: string): void => {
    for (const [metric, label, value] of known.get(name)?.values() ?? []) {
      onMetric(metric, { name, [label]: value }, undefined);
    }
    known.delete(name);
  };

  return {
    observe: (name, { status, reasons }) => {
      if (status === undefined) return withdraw(name);
      const series = known.get(name) ?? new Map<string, [string, string, string]>();
      known.set(name, series);
      const set = (metric: string, label: string, word: string, value: number): void => {
        series.set(`${metric}/${word}`, [metric, label, word]);
        onMetric(metric, { name, [label]: word }, value);
      };
      const states = {
        matched: status.matchedPods,
        updated: status.updatedPods,
        ready: status.readyPods,
        upgrading: status.upgradingPods ?? 0,
        failed: status.failedPods ?? 0,
        uninjected: status.uninjectedPods ?? 0,
      };
      for (const [state, value] of Object.entries(states)) set("hot_sidecarset_pods", "state", state, value);
      // A reason that is gone goes back to 0.
      const blocked = [...series.values()].filter(([metric]) => metric === "hot_blocked_pods");
      const counts = new Map<string, number>(blocked.map(([, , reason]) => [reason, 0]));
      for (const [reason, count] of reasons) if (reason !== "UpToDate") counts.set(reason, count);
      for (const [reason, value] of counts) set("hot_blocked_pods", "reason", reason, value);
    },
    clear: () => [...known.keys()].forEach(withdraw),
  };
}

export function queueMetrics(onMetric: OnMetric): WorkQueueMetrics {
  return {
    depth: (depth) => onMetric("hot_workqueue_depth", {}, depth),
    added: () => onMetric("hot_workqueue_adds_total", {}, 1),
    taken: (waitedMs) => onMetric("hot_workqueue_queue_duration_seconds", {}, waitedMs / 1000),
    retried: () => onMetric("hot_workqueue_retries_total", {}, 1),
  };
}

export function gateMetrics(onMetric: OnMetric): FairGateMetrics {
  return {
    limit: (limit) => onMetric("hot_pod_writes_limit", {}, limit),
    entered: (waitedMs) => onMetric("hot_pod_writes_queue_duration_seconds", {}, waitedMs / 1000),
    slowed: (cause) => onMetric("hot_pod_writes_slowed_total", { cause }, 1),
  };
}
