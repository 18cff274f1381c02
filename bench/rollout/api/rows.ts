// SPDX-License-Identifier: Apache-2.0
import { median, percentile, spread } from "../../cluster/statistics.ts";
import { atLeast, atMost, told, type Row } from "../table.ts";
import type { Rollouts, Run } from "./rollouts.ts";
import type { WriteCost } from "./write-cost.ts";

const perSecond = ({ writes, ms }: { writes: number; ms: number }): number => (writes / ms) * 1000;

/** PATCHes a second of the plain client around a run. */
function plainRate({ plain }: Run): number {
  const writes = plain.reduce((sum, one) => sum + one.writes, 0);
  return perSecond({ writes, ms: plain.reduce((sum, one) => sum + one.ms, 0) });
}

/** Two writes for each pod: half of a PATCH rate is a rate of pods. */
export function apiRows(pods: number, { runs, byHand, cold, violations, inspected }: Rollouts): Row[] {
  const rate = (run: Pick<Run, "ms">): number => (pods / run.ms) * 1000;
  const each = (of: (run: Run) => number): number => median(runs.map(of));
  const all = (of: (run: Run) => number, digits = 0): string => spread(runs.map(of), digits);
  const most = (of: (run: Run) => number): number => Math.max(...runs.map(of)) / pods;
  const lastUpgrade = (run: Run): number => (run.progress.times("upgraded").at(-1) ?? Number.NaN) - run.startedAt;
  const firstReset = (run: Run): number => (run.progress.times("reset")[0] ?? Number.NaN) - run.startedAt;
  const early = (run: Run): number =>
    run.progress.times("reset").filter((at) => at - run.startedAt < lastUpgrade(run)).length;
  const handRate = rate({ ms: byHand.reduce((sum, { ms }) => sum + ms, 0) / byHand.length });
  const lag = (of: "sentAfter" | "answeredAfter", share: number): number =>
    median(runs.map(({ kubelets }) => percentile(kubelets[of], share)));
  const both = (of: "sentAfter" | "answeredAfter"): string => [0.5, 0.99].map((p) => lag(of, p).toFixed(1)).join(" / ");
  return [
    atLeast("hot upgrade", "pods/s", 150, each(rate)),
    told("  smallest / median / largest of the runs", "pods/s", all(rate)),
    told("  by hand, without a controller: the most that can be had here", "pods/s", spread(byHand.map(rate), 0)),
    told("  the very first, everything cold", "pods/s", rate(cold)),
    atMost(
      "writes of a pod by the controller, most of the runs",
      "per pod",
      2,
      most(({ writes }) => writes.written + writes.statuses),
    ),
    told(
      "  requests refused as out of date",
      "per pod",
      most(({ writes }) => writes.conflicts),
    ),
    told(
      "  other writes, events above all",
      "per pod",
      most(({ writes }) => writes.others),
    ),
    told(
      "    of these before the last pod had settled",
      "per pod",
      most(({ writes }) => writes.othersMeanwhile),
    ),
    told("  in the very first rollout", "per pod", (cold.writes.written + cold.writes.statuses) / pods),
    atLeast(
      "the rollout, of the upgrade by hand",
      "%",
      80,
      each((run) => (rate(run) / handRate) * 100),
    ),
    told("PATCH rate of a plain client, the kubelets idle", "per s", all(plainRate)),
    atLeast(
      "  the rollout, of half of it",
      "%",
      80,
      each((run) => (rate(run) / (plainRate(run) / 2)) * 100),
    ),
    told(
      "  by hand, of half of it: the most that can be had here",
      "%",
      each((run) => (handRate / (plainRate(run) / 2)) * 100),
    ),
    told(
      "first pod reset after",
      "s",
      all((run) => firstReset(run) / 1000, 2),
    ),
    told(
      "last pod upgraded after",
      "s",
      all((run) => lastUpgrade(run) / 1000, 2),
    ),
    atLeast("  pods reset before, fewest of the runs", "pods", 1, Math.min(...runs.map(early))),
    told("receipt to reset of one pod, p50 / p99", "ms", delays(runs, "received", "reset")),
    told("upgrade to receipt of one pod, p50 / p99", "ms", delays(runs, "upgraded", "received")),
    told("kubelets: a due status is sent after, p50 / p99", "ms", both("sentAfter")),
    told("kubelets: and answered after, p50 / p99", "ms", both("answeredAfter")),
    atMost(`invariants broken in ${inspected} changes of pods`, "", 0, violations.length),
  ];
}

function delays(runs: readonly Run[], from: "received" | "upgraded", to: "received" | "reset"): string {
  const at = (share: number): string =>
    median(runs.map(({ progress }) => percentile(progress.between(from, to), share))).toFixed(0);
  return `${at(0.5)} / ${at(0.99)}`;
}

/** Milliseconds of processor time for each pod. */
export function processorRows(
  pods: number,
  { runs, byHand }: Rollouts,
): { process: string; rollout: string; byHand: string }[] {
  const each = (of: readonly Pick<Run, "processors">[], name: string): string =>
    spread(
      of.map(({ processors }) => (processors[name] ?? 0) / pods),
      2,
    );
  return Object.keys(runs[0]?.processors ?? {}).map((process) => ({
    process,
    rollout: each(runs, process),
    byHand: each(byHand, process),
  }));
}

/** Each way to write beside the first one. */
export function writeRows(costs: readonly WriteCost[]): Record<string, string>[] {
  const [first] = costs;
  const of = ({ processorMs, allocatedKib }: WriteCost): [number, number] => [
    median(processorMs),
    median(allocatedKib),
  ];
  const [firstMs, firstKib] = first === undefined ? [Number.NaN, Number.NaN] : of(first);
  const more = (measured: number, than: number): string => `${Math.round((measured / than - 1) * 100) || 0} %`;
  return costs.map((cost) => {
    const [ms, kib] = of(cost);
    return {
      PATCH: cost.what,
      "answer, bytes": String(cost.answerBytes),
      "processor, ms": spread(cost.processorMs, 2),
      more: more(ms, firstMs),
      "allocated, KiB": spread(cost.allocatedKib, 0),
      "more ": more(kib, firstKib),
    };
  });
}
