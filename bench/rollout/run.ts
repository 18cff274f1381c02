// SPDX-License-Identifier: Apache-2.0
// pnpm bench rollout [--api] [--memory] [--rollouts] [--admission] [--writes] [--pods 1000] [--runs 3] [--most 100000] [--resync 20000] [--controller-flags "--cpu-prof …"]
// Rollouts over many pods: at a real API server, and in memory. Without a choice all parts but --writes run.
import { Console } from "node:console";
import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { admissionDuringResync, admissionRows } from "./admission/latency.ts";
import { apiRows, processorRows, writeRows } from "./api/rows.ts";
import { rollouts } from "./api/rollouts.ts";
import { writeCosts } from "./api/write-cost.ts";
import { caches, eventCosts, rolloutCosts } from "./memory/measure.ts";
import { cacheRows, eventRows, rolloutRows } from "./memory/rows.ts";

const { values } = parseArgs({
  options: {
    api: { type: "boolean", default: false },
    /** Caches and events. */
    memory: { type: "boolean", default: false },
    /** Whole rollouts in memory. */
    rollouts: { type: "boolean", default: false },
    admission: { type: "boolean", default: false },
    /** What one PATCH costs the API server, by the ways to write it. */
    writes: { type: "boolean", default: false },
    /** Of the part at the API server. */
    pods: { type: "string", default: "1000" },
    runs: { type: "string", default: "3" },
    /** Pods that are read anew beside admission. */
    resync: { type: "string", default: "20000" },
    /** The most pods of the part in memory. */
    most: { type: "string", default: "100000" },
    /** Flags of Node for the controller's process. */
    "controller-flags": { type: "string", default: "" },
  },
});
const everything = !values.api && !values.memory && !values.rollouts && !values.admission && !values.writes;
/** In each round of each way to write. */
const WRITTEN_PODS = 200;
const out = new Console(process.stdout);
const load = (): string => `load average ${loadavg()[0]?.toFixed(1)}, ${availableParallelism()} processors`;
const tell = (sentence: string): boolean => process.stderr.write(`${sentence} (${load()})\n`);

if (values.api || everything) {
  const pods = Number(values.pods);
  const controllerFlags = values["controller-flags"].split(" ").filter((flag) => flag !== "");
  const results = await rollouts({ pods, runs: Number(values.runs), controllerFlags, tell });
  out.log(
    `hot upgrade of ${pods} pods of ${results.podBytes} bytes at a real API server, PATCHes of ${results.patchBytes} bytes, ${load()}:`,
  );
  out.table(apiRows(pods, results));
  out.log("processor time, milliseconds for each pod:");
  out.table(processorRows(pods, results));
  for (const one of results.violations.slice(0, 20)) out.log(one);
}

const most = Number(values.most);
const sizes = [1_000, 10_000, 100_000].filter((size) => size <= most);

if (values.memory || everything) {
  const cache = cacheRows(await caches(most));
  out.log(`caches of ${most} pods of more than 10 KB and 50 SidecarSets, ${load()}:`);
  out.table(cache);
  const [least = most] = sizes;
  const others = sizes.slice(1).map((pods) => ({ own: least, pods }));
  const events = await eventCosts([...sizes.map((own) => ({ own, pods: own })), ...others]);
  out.log(`one event of a pod, 50 SidecarSets, ${load()}:`);
  out.table(eventRows(events));
}

if (values.rollouts || everything) {
  for (const own of [true, false]) {
    const costs = await rolloutCosts(sizes, own);
    out.log(`whole rollouts, ${load()}:`);
    out.table(rolloutRows(costs));
  }
}

if (values.admission || everything) {
  const results = await admissionDuringResync(Number(values.resync));
  out.log(`admission while the controller reads all pods anew, ${load()}:`);
  out.table(admissionRows(results));
}

if (values.writes) {
  const costs = await writeCosts(WRITTEN_PODS, Number(values.runs));
  out.log(`one PATCH of a pod, what it costs the API server, ${load()}:`);
  out.table(writeRows(costs));
}
