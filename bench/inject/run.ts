// SPDX-License-Identifier: Apache-2.0
// node --conditions=@hot/source bench/inject/run.ts: how fast one core injects and hashes.
import { Console } from "node:console";
import { injectPod, prepareSidecarSets } from "../../packages/inject/src/index.ts";
import { curiousSidecarSets, hostilePods } from "../../packages/inject/test/hostile-pods.ts";
import { sidecarSetHashes, type Pod } from "@hot/spec";
import { tenKilobytePod, threeContainers, threeSidecarSets, thousandSidecarSets } from "./fixture.ts";
import { measure } from "./measure.ts";

const namespace = { name: "shop", labels: { team: "shop" } };
const now = "2026-01-02T03:04:05Z";
const pod = tenKilobytePod();
const three = prepareSidecarSets(threeSidecarSets());
const thousand = prepareSidecarSets(thousandSidecarSets());
const curious = prepareSidecarSets(curiousSidecarSets);
const review = JSON.stringify({ request: { uid: "u", object: pod } });
const spec = threeContainers();
const inject = (sidecarSets: typeof three, of: Pod = pod) =>
  injectPod({ pod: of, namespace, sidecarSets, revisions: [], random: 0.5, now });

const check = inject(three).report;
if (check.injected.length !== 3 || inject(thousand).report.injected.length !== 3) {
  throw new Error(`the bench does not inject what it should: ${JSON.stringify(check)}`);
}

const rows = measure({
  "injectPod with patch, 3 SidecarSets": () => inject(three),
  "injectPod with patch, 3 of 1000 match": () => inject(thousand),
  "AdmissionReview: parse, inject, serialise": () => {
    const { request } = JSON.parse(review) as { request: { uid: string; object: Pod } };
    const { patch } = inject(three, request.object);
    const text = Buffer.from(JSON.stringify(patch)).toString("base64");
    return JSON.stringify({ response: { uid: request.uid, allowed: true, patchType: "JSONPatch", patch: text } });
  },
  "prepareSidecarSets of 1000": () => prepareSidecarSets([...thousand.inOrder].map((one) => one.sidecarSet)),
  "hash of a SidecarSet with 3 containers": () => sidecarSetHashes({ spec }),
});

/** Milliseconds of the very first of some runs and of their median: on the clock, and of the processor for this thread. */
function hostile(of: Pod): Record<string, string | number> {
  const runs = Array.from({ length: 11 }, () => {
    const cpu = process.threadCpuUsage();
    const start = performance.now();
    const { patch, report } = inject(curious, of);
    const ms = performance.now() - start;
    const { user, system } = process.threadCpuUsage(cpu);
    return { answer: report.denied?.code ?? `${patch.length} operations`, ms, cpuMs: (user + system) / 1000 };
  });
  const figures = (of: "ms" | "cpuMs"): string[] => {
    const all = runs.map((run) => run[of]);
    return [all[0], all.toSorted((a, b) => a - b)[5]].map((value = 0) => value.toFixed(1));
  };
  const [first, median] = figures("ms");
  const [firstCpu, medianCpu] = figures("cpuMs");
  return {
    answer: runs[0]?.answer ?? "",
    "first in ms": Number(first),
    "median in ms": Number(median),
    "first in CPU ms": Number(firstCpu),
    "median in CPU ms": Number(medianCpu),
  };
}

const out = new Console(process.stdout);
out.log(`pod: ${JSON.stringify(pod).length} bytes, Node ${process.version}`);
out.table(rows);
const [of3, of1000] = [
  rows["injectPod with patch, 3 SidecarSets"]["per CPU second"],
  rows["injectPod with patch, 3 of 1000 match"]["per CPU second"],
];
out.log(`1000 SidecarSets instead of 3 make an injection ${(of3 / of1000).toFixed(2)} times as long`);
out.log("pods made to be slow, of up to 3 MB:");
out.table(Object.fromEntries(Object.entries(hostilePods).map(([name, one]) => [name, hostile(one.make(one.size))])));
