// SPDX-License-Identifier: Apache-2.0
// pnpm bench cluster [--runs 3] [--pods 10] [--creates 300] [--probing startup|often] [--lines]: hot upgrades on a real kubelet, beside their floor.
import { Console } from "node:console";
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { connect } from "@hot/kube";
import { installedCluster, podPatches } from "./installed.ts";
import { createNamespaces, PROBING } from "./objects.ts";
import { handOverMs, memoryMb } from "./replicas.ts";
import { handOverRows, latencyRows, phaseTable, PUBLISHED, upgradeRows } from "./report.ts";
import { floorUpgrade, hotUpgrade, lightUpgrade, type HotRun, type UpgradeRun } from "./upgrade.ts";
import { webhookLatency, type Latencies } from "./webhook-latency.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "3" },
    pods: { type: "string", default: "10" },
    creates: { type: "string", default: "300" },
    probing: { type: "string", default: "startup" },
    /** One line for each pod, too. */
    lines: { type: "boolean", default: false },
  },
});
const [runs, pods, creates] = [Number(values.runs), Number(values.pods), Number(values.creates)];

const probing = PROBING.find((one) => one === values.probing);
if (probing === undefined) throw new RangeError(`--probing is one of ${PROBING.join(", ")}`);

const out = new Console(process.stdout);
await using installed = await installedCluster();
const { cluster } = installed;
await using api = connect({ kubeconfig: cluster.kubeconfig, userAgent: "hot-bench" });
await using namespaces = await createNamespaces(api);
const setting = {
  api,
  namespaces,
  pods,
  probing,
  podPatches: (code: number) => podPatches(cluster, "", code),
  memoryMb: () => memoryMb(api, cluster),
};
const id = namespaces.injected;

const upgrades = { lights: [] as UpgradeRun[], floors: [] as UpgradeRun[], hots: [] as HotRun[] };
const told = <T extends UpgradeRun>(what: string, run: T, all: T[]): void => {
  all.push(run);
  out.log(
    `${what} ${all.length} of ${runs}: ${(run.ms / 1000).toFixed(2)} s (load average ${loadavg()[0]?.toFixed(1)})`,
  );
  if (values.lines) out.log(run.timeline.lines(run.start).join("\n"));
};
for (let run = 0; run < runs; run += 1) {
  const steps = [
    async () => told("Kubernetes alone", await lightUpgrade(setting, `${id}-light-${run}`), upgrades.lights),
    async () => told("floor", await floorUpgrade(setting, `${id}-floor-${run}`), upgrades.floors),
    async () => told("hot upgrade", await hotUpgrade(setting, `${id}-hot-${run}`), upgrades.hots),
  ];
  // None is always the first of its run.
  for (const step of run % 2 === 0 ? steps : steps.toReversed()) await step();
}
const latencies: Latencies[] = [];
for (const token of [false, true]) {
  const name = `${id}-latency${token ? "-token" : ""}`;
  latencies.push(await webhookLatency(api, namespaces, { name, rounds: creates, token, host: cluster.at.host }));
}
const stopped: number[] = [];
const killed: number[] = [];
for (let run = 0; run < runs; run += 1) {
  stopped.push(await handOverMs(api, cluster, "delete"));
  killed.push(await handOverMs(api, cluster, "kill"));
}

const [load = 0] = loadavg();
if (load > cpus().length) {
  out.log(`The machine is busy (load average ${load.toFixed(1)}): only relations to the floor say anything.`);
}
out.log(
  `${pods} pods, ${runs} runs with fresh pods each, all kinds in turn, probing ${probing}; minimum / median / maximum:`,
);
out.table([...upgradeRows(upgrades), ...latencies.flatMap(latencyRows), ...handOverRows(stopped, killed)]);
out.log("when the median pod got there, median of the runs, in seconds from the first PATCH:");
out.table(phaseTable(upgrades));
out.log(PUBLISHED);
