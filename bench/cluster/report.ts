// SPDX-License-Identifier: Apache-2.0
import { median, percentile, spread } from "./statistics.ts";
import { MILESTONES } from "./timeline.ts";
import type { HotRun, UpgradeRun } from "./upgrade.ts";
import type { Latencies } from "./webhook-latency.ts";

export interface Row {
  readonly figure: string;
  readonly measured: string;
  readonly unit: string;
  readonly goal: string;
}

/** Not measured here: another machine, another day. */
export const PUBLISHED = `published elsewhere, NOT measured in this run (OpenKruise v1.9, Kubernetes 1.36.3, one node, 2 cores):
  hot upgrade of 10 real pods          6.5–7.1 s, status true at 10.1 s
  writes per pod                       2 updates, 1 event (1 status patch once)
  added latency of the pod webhook     3.7–4.9 ms p50 with a hot injection (base 8.8 ms)
  memory of the manager, idle          85–108 MB
  controllers work again after         17–18 s (restart of the manager)`;

export function upgradeRows(floors: readonly UpgradeRun[], hots: readonly HotRun[]): Row[] {
  const seconds = (runs: readonly UpgradeRun[]): number[] => runs.map((run) => run.ms / 1000);
  // Each with the floor beside it: the load of the machine changes from run to run.
  const ratios = hots.map((run, index) => run.ms / (floors[index]?.ms ?? Number.NaN));
  return [
    { figure: "floor: two image changes and the hook", measured: spread(seconds(floors), 2), unit: "s", goal: "" },
    { figure: "hot upgrade, until all are ready", measured: spread(seconds(hots), 2), unit: "s", goal: "≤ 2.5" },
    { figure: "  in relation to the floor", measured: spread(ratios, 2), unit: "× floor", goal: "≤ 1.5" },
    {
      figure: "  then until the status says so",
      measured: spread(
        hots.map((run) => run.statusMs / 1000),
        3,
      ),
      unit: "s",
      goal: "≤ 0.5",
    },
    {
      figure: "  patches by the controller",
      measured: spread(
        hots.map((run) => run.patchesPerPod),
        1,
      ),
      unit: "per pod",
      goal: "≤ 2",
    },
    {
      figure: "memory of the largest replica, idle",
      measured: spread(
        hots.map((run) => run.idleMb),
        0,
      ),
      unit: "MB",
      goal: "≤ 120",
    },
  ];
}

export function latencyRows({ token, injected, excluded, writtenOut }: Latencies): Row[] {
  const row = (figure: string, all: readonly number[]): Row => ({
    figure,
    measured: [0.5, 0.99].map((share) => percentile(all, share).toFixed(1)).join(" / "),
    unit: "ms p50 / p99",
    goal: "",
  });
  const added = (median(injected) - median(excluded)).toFixed(1);
  const pod = token ? "pod with a token (the webhook is asked twice)" : "pod without a token";
  return [
    row(`create of a ${pod}, not sent`, excluded),
    row("  the same with the sidecars written out", writtenOut),
    row("  the same with hot injection", injected),
    { figure: "  added by the injection", measured: added, unit: "ms p50", goal: "≤ 2" },
  ];
}

export function handOverRows(stopped: readonly number[], killed: readonly number[]): Row[] {
  const row = (what: string, all: readonly number[], goal: string): Row => ({
    figure: `next leader after ${what}`,
    measured: spread(
      all.map((ms) => ms / 1000),
      2,
    ),
    unit: "s",
    goal,
  });
  return [row("a clean stop", stopped, "< 2"), row("a kill", killed, "< 20")];
}

/** Where the time goes, so that it can be seen what is the kubelet's and what is ours. */
export function phaseTable(floors: readonly UpgradeRun[], hots: readonly UpgradeRun[]): Record<string, object> {
  const at = (runs: readonly UpgradeRun[], milestone: (typeof MILESTONES)[number]): number => {
    const each = runs.map(({ timeline, start }) => (median(timeline.times(milestone)) - start) / 1000);
    return Number(median(each).toFixed(2));
  };
  return Object.fromEntries(MILESTONES.map((one) => [one, { floor: at(floors, one), "hot upgrade": at(hots, one) }]));
}
