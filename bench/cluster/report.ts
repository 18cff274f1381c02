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

/** The same upgrade by hand, and by the controller; one run of each has the same index. */
interface Upgrades {
  /** By hand, with a sidecar that costs nothing. */
  readonly lights: readonly UpgradeRun[];
  /** By hand, with the sidecar of the hot upgrade. */
  readonly floors: readonly UpgradeRun[];
  readonly hots: readonly HotRun[];
}

export function upgradeRows({ lights, floors, hots }: Upgrades): Row[] {
  const seconds = (runs: readonly UpgradeRun[]): string =>
    spread(
      runs.map((run) => run.ms / 1000),
      2,
    );
  // Each with the floor beside it: the load of the machine changes from run to run.
  const ratios = hots.map((run, index) => run.ms / (floors[index]?.ms ?? Number.NaN));
  return [
    { figure: "Kubernetes alone: two image changes", measured: seconds(lights), unit: "s", goal: "" },
    { figure: "floor: with the sidecar's start and hook", measured: seconds(floors), unit: "s", goal: "" },
    { figure: "hot upgrade, until all are ready", measured: seconds(hots), unit: "s", goal: "≤ 2.5" },
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
      figure: "  and refused, the pod having changed (409)",
      measured: spread(
        hots.map((run) => run.conflicts),
        0,
      ),
      unit: "of all pods",
      goal: "",
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

export function latencyRows({ token, excluded, writtenOut, asked, readyMade, injected }: Latencies): Row[] {
  const base = median(excluded);
  const row = (figure: string, all: readonly number[], goal = ""): Row => ({
    figure,
    measured: [median(all) - base, percentile(all, 0.25) - percentile(excluded, 0.25)]
      .map((ms) => `${ms < 0 ? "" : "+"}${ms.toFixed(1)}`)
      .join(" / "),
    unit: "ms p50 / p25",
    goal,
  });
  return [
    {
      figure: `create of a pod with${token ? "" : "out"} an account token`,
      measured: [base, percentile(excluded, 0.25)].map((ms) => ms.toFixed(1)).join(" / "),
      unit: "ms p50 / p25",
      goal: "",
    },
    row("  the sidecars written out", writtenOut),
    row("  a webhook that does nothing", asked),
    row("  floor: a webhook with the injection ready", readyMade),
    row("  hot injection", injected, "≤ 2"),
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

/** Where the time goes, so that it can be seen what is the kubelet's, what the sidecar's and what ours. */
export function phaseTable({ lights, floors, hots }: Upgrades): Record<string, object> {
  const at = (runs: readonly UpgradeRun[], milestone: (typeof MILESTONES)[number]): number => {
    const each = runs.map(({ timeline, start }) => (median(timeline.times(milestone)) - start) / 1000);
    return Number(median(each).toFixed(2));
  };
  const row = (one: (typeof MILESTONES)[number]): object => ({
    "Kubernetes alone": at(lights, one),
    floor: at(floors, one),
    "hot upgrade": at(hots, one),
  });
  return Object.fromEntries(MILESTONES.map((one) => [one, row(one)]));
}
