// SPDX-License-Identifier: Apache-2.0
// pnpm bench rollout [--api] [--memory] [--admission] [--pods 1000] [--runs 3] [--controller-flags "--cpu-prof …"]
// Rollouts over many pods: at a real API server, and in memory. Without a choice all parts run.
import { Console } from "node:console";
import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { apiRows, processorRows } from "./api/rows.ts";
import { rollouts } from "./api/rollouts.ts";

const { values } = parseArgs({
  options: {
    api: { type: "boolean", default: false },
    memory: { type: "boolean", default: false },
    admission: { type: "boolean", default: false },
    /** Of the part at the API server. */
    pods: { type: "string", default: "1000" },
    runs: { type: "string", default: "3" },
    /** Flags of Node for the controller's process. */
    "controller-flags": { type: "string", default: "" },
  },
});
const everything = !values.api && !values.memory && !values.admission;
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
