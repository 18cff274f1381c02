// SPDX-License-Identifier: Apache-2.0
import { percentile } from "../../cluster/statistics.ts";
import type { Blocked } from "../servers/cache.ts";
import { atLeast, atMost, told, type Row } from "../table.ts";
import type { CacheResults, EventResult, RolloutResult } from "./measure.ts";

export function cacheRows({ parsed, synchronised, firstPlans, weight }: CacheResults): Row[] {
  const rate = ({ pods }: { pods: number }, ms: number): number => (pods / ms) * 1000;
  return [
    atLeast("initial sync, by the clock", "pods/s", 10_000, rate(synchronised, synchronised.ms)),
    told("  for each second of processor time", "pods", rate(synchronised, synchronised.cpuMs)),
    told("the same pages read and parsed only, by the clock", "pods/s", rate(parsed, parsed.ms)),
    told("  for each second of processor time", "pods", rate(parsed, parsed.cpuMs)),
    told("processor time of the sync, of that of reading and parsing", "%", (synchronised.cpuMs / parsed.cpuMs) * 100),
    told("first plans of all SidecarSets, after the sync, processor time", "ms", firstPlans.cpuMs),
    told("event loop held up while pods are read, p99 / longest", "ms", waits(firstPlans.reading)),
    told("  from there to the last first plan", "ms", waits(firstPlans.planning)),
    atMost("resident memory, 10 s after the sync", "MB", 450, weight.rssMb),
    told("  of it before the first pod", "MB", weight.emptyMb),
    told("  heap in use", "MB", weight.heapMb),
  ];
}

function waits({ p99Ms, longestMs }: Blocked): string {
  return `${p99Ms.toFixed(1)} / ${longestMs.toFixed(1)}`;
}

export function eventRows(results: readonly EventResult[]): Row[] {
  return results.flatMap(({ own, pods, aloneMs, aloneCpuMs, togetherMs, plans }) => {
    const what = `${own} pods of its own, ${pods - own} of others`;
    return [
      atMost(`event of one pod: ${what}, processor time, p50`, "ms", 1, percentile(aloneCpuMs, 0.5)),
      told("  by the clock, p50", "ms", percentile(aloneMs, 0.5)),
      told(`  each of 1,000, a hundred at once (${plans} plans), processor time`, "ms", togetherMs),
    ];
  });
}

/** The cost of a pod may be 1.5 times that in the smallest rollout. */
export function rolloutRows(results: readonly RolloutResult[]): Row[] {
  const each = ({ pods, cpuMs }: RolloutResult): number => cpuMs / pods;
  const [first] = results;
  return results.flatMap((one) => {
    const ratio = first === undefined ? Number.NaN : each(one) / each(first);
    const label = `rollout of ${one.pods} pods of ${one.sets} SidecarSets`;
    return [
      told(label, "pods/s", (one.pods / one.ms) * 1000),
      told("  processor time for each pod, API and kubelets included", "ms", each(one)),
      ...(one === first ? [] : [atMost("  of that in the smallest", "×", 1.5, ratio)]),
      told("  patches for each pod, statuses included", "", one.patches / one.pods),
      told("  reconciles", "", one.reconciles),
    ];
  });
}
