// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { connect, RESOURCES, type Api } from "@hot/kube";
import { SIDECAR_SETS } from "../../../apps/demo/src/fleet.ts";
import { startChild } from "../child.ts";
import type { Asked, Written } from "../servers/writer.ts";
import { controlPlane } from "./control-plane.ts";
import { startController } from "./controller-process.ts";
import { simulateKubelets, type KubeletReport } from "./kubelets.ts";
import { createNobodys, createSurroundings, imageOf, injected, sidecarSet, upgradeTo } from "./objects.ts";
import { processorTime } from "./processor-time.ts";
import type { Progress } from "./progress.ts";
import { between, quiet, requestsOf, WRITES, type Requests } from "./requests.ts";
import { PodWatch } from "./watch.ts";

/** As many writes at once as the controller makes at most. */
const AT_ONCE = 32;
const KUBELET_DELAY_MS = 150;
/** By hand, before it is known how long the controller's are; what it writes is in the table beside that. */
const PATCH_BYTES = 1_750;

/** One rollout of all pods, and beside it what the same API server does for others. */
export interface Run {
  /** From the change of the SidecarSet to the last pod that has settled, in milliseconds. */
  readonly ms: number;
  readonly startedAt: number;
  readonly progress: Progress;
  readonly writes: PodWrites;
  readonly kubelets: KubeletReport;
  /** Milliseconds of processor time, by process. */
  readonly processors: Readonly<Record<string, number>>;
  /** Plain PATCHes of that size by a client of its own, before and after. */
  readonly plain: readonly Written[];
}

/** The same upgrade of as many pods by a client that knows nothing of a SidecarSet, with no controller beside it. */
export type ByHand = Written & Pick<Run, "processors">;

/** PATCHes by the API server's count. */
export interface PodWrites {
  /** Of pods, carried out. */
  readonly written: number;
  /** Of pods, refused because the pod had changed. */
  readonly conflicts: number;
  /** Of the status of pods, that are no kubelet's. */
  readonly statuses: number;
  /** Writes of anything else, such as events and the status of the SidecarSet. */
  readonly others: number;
  /** Of these before the last pod had settled. */
  readonly othersMeanwhile: number;
}

export interface Rollouts {
  readonly podBytes: number;
  readonly patchBytes: number;
  readonly inspected: number;
  readonly violations: readonly string[];
  /** The first one, with everything cold. */
  readonly cold: Pick<Run, "ms" | "writes">;
  readonly runs: readonly Run[];
  readonly byHand: readonly ByHand[];
}

export interface RolloutOptions {
  readonly pods: number;
  readonly runs: number;
  readonly controllerFlags: readonly string[];
  readonly tell: (sentence: string) => void;
}

const WRITER = join(import.meta.dirname, "../servers/writer.ts");

export async function rollouts({ pods, runs, controllerFlags, tell }: RolloutOptions): Promise<Rollouts> {
  await using stack = new AsyncDisposableStack();
  const { cluster } = stack.use(await controlPlane());
  const { kubeconfig } = cluster;
  const api = stack.use(connect({ kubeconfig, userAgent: "hot-bench" }));
  await createSurroundings(api);
  let version = 1;
  await api.create(SIDECAR_SETS, sidecarSet(version));
  const stop = new AbortController();
  stack.defer(() => stop.abort());
  const watch = new PodWatch(api);
  const kubelets = stack.use(simulateKubelets(kubeconfig, watch, KUBELET_DELAY_MS));
  await watch.start(stop.signal);
  await createPods(api, pods);
  await watch.until(pods, imageOf(version), () => Promise.resolve());
  tell(`${pods} pods are Ready, and as many of nobody`);
  const writer = stack.use(startChild(WRITER, [kubeconfig]));
  const pids: Record<string, number> = {
    "API server": cluster.processes.pid("apiserver") ?? 0,
    etcd: cluster.processes.pid("etcd") ?? 0,
    "kubelets and bench": process.pid,
    "plain client": writer.pid,
  };
  /** What the processes take for it. */
  const taken = async <T>(work: () => Promise<T>): Promise<[T, Readonly<Record<string, number>>]> => {
    const before = processorTime(pids);
    const result = await work();
    const after = processorTime(pids);
    return [result, Object.fromEntries(Object.entries(after).map(([name, at]) => [name, at - (before[name] ?? 0)]))];
  };

  const byHand: ByHand[] = [];
  let handVersion = 1;
  const upgradeByHand = async (): Promise<ByHand> => {
    await quiet(cluster);
    const asked = { atOnce: AT_ONCE, bytes: PATCH_BYTES, wish: imageOf(++handVersion) };
    const [written, processors] = await taken(() => writer.ask<Written>("byHand", asked));
    tell(`by hand: ${(written.ms / 1000).toFixed(1)} s`);
    return { ...written, processors };
  };
  /** Half of them before there is a controller and half after, so that neither has the machine at a better time. */
  const half = Math.ceil(runs / 2);
  await upgradeByHand();
  for (let run = 0; run < half; run++) byHand.push(await upgradeByHand());

  const withController = stack.use(new AsyncDisposableStack());
  const controller = withController.use(await startController(kubeconfig, api, pods, controllerFlags));
  pids["controller"] = controller.pid;
  tell("the controller knows all pods");

  const rollout = async (): Promise<Omit<Run, "plain">> => {
    await kubelets.report();
    const before = requestsOf(cluster);
    let startedAt = performance.now();
    const begin = async (): Promise<void> => {
      startedAt = performance.now();
      await upgradeTo(api, version);
    };
    const [progress, processors] = await taken(() => watch.until(pods, imageOf(++version), begin));
    const ms = performance.now() - startedAt;
    const othersMeanwhile = others(before, requestsOf(cluster));
    // Also what is left to be said of it.
    await quiet(cluster);
    const report = await kubelets.report();
    const writes = { ...writesOf(before, requestsOf(cluster), report.writes), othersMeanwhile };
    return { ms, startedAt, progress, writes, kubelets: report, processors };
  };

  const cold = await rollout();
  tell(`the first rollout took ${(cold.ms / 1000).toFixed(1)} s`);
  const bytes = Math.round(watch.patchSizes.reduce((sum, one) => sum + one, 0) / watch.patchSizes.length);
  const asked: Asked = { atOnce: AT_ONCE, bytes };
  const done: Run[] = [];
  for (let run = 0; run < runs; run++) {
    const plain = [await writer.ask<Written>("plain", asked)];
    const own = await rollout();
    plain.push(await writer.ask<Written>("plain", asked));
    done.push({ ...own, plain });
    await quiet(cluster);
    tell(`rollout ${run + 1} of ${runs}: ${(own.ms / 1000).toFixed(1)} s`);
  }
  await withController.disposeAsync();
  delete pids["controller"];
  for (let run = 0; run < half; run++) byHand.push(await upgradeByHand());
  return {
    podBytes: JSON.stringify(watch.sample()).length,
    patchBytes: bytes,
    inspected: watch.inspected,
    violations: watch.violations,
    cold,
    runs: done,
    byHand,
  };
}

function writesOf(before: Requests, after: Requests, kubelets: number): Omit<PodWrites, "othersMeanwhile"> {
  const of = (which: RegExp): number => between(before, after, which);
  return {
    written: of(/^PATCH pods 200$/),
    conflicts: of(/^PATCH pods 409$/),
    statuses: of(/^PATCH pods\/status /) - kubelets,
    others: others(before, after),
  };
}

const others = (before: Requests, after: Requests): number =>
  between(before, after, WRITES) - between(before, after, /^PATCH pods[ /]/);

async function createPods(api: Api, count: number): Promise<void> {
  const first = sidecarSet(1);
  const all = Array.from({ length: count }, (_, index) => injected(`web-${String(index).padStart(5, "0")}`, first));
  const rest = all.values();
  const worker = async (): Promise<void> => {
    for (const pod of rest) {
      await api.create(RESOURCES.pods, pod);
      await createNobodys(api, pod);
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}
