// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { connect, RESOURCES, type Api } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { SIDECAR_SETS } from "../../../apps/demo/src/fleet.ts";
import { startChild } from "../child.ts";
import type { KubeletReport } from "../servers/kubelets.ts";
import type { Asked, Written } from "../servers/writer.ts";
import { controlPlane } from "./control-plane.ts";
import { startController } from "./controller-process.ts";
import { createSurroundings, imageOf, injected, nobodys, sidecarSet, upgradeTo } from "./objects.ts";
import { processorTime } from "./processor-time.ts";
import type { Progress } from "./progress.ts";
import { between, quiet, requestsOf, WRITES, type Requests } from "./requests.ts";
import { PodWatch } from "./watch.ts";

/** As many writes at once as the controller makes at most. */
const AT_ONCE = 32;
const KUBELET_DELAY_MS = 150;

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
  /** The same upgrade of as many pods by a client that knows nothing of a SidecarSet. */
  readonly byHand: Written & Pick<Run, "processors">;
}

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
}

export interface Rollouts {
  readonly podBytes: number;
  readonly patchBytes: number;
  readonly inspected: number;
  readonly violations: readonly string[];
  /** The first one, with everything cold. */
  readonly cold: Pick<Run, "ms" | "writes">;
  readonly runs: readonly Run[];
}

export interface RolloutOptions {
  readonly pods: number;
  readonly runs: number;
  readonly controllerFlags: readonly string[];
  readonly tell: (sentence: string) => void;
}

const server = (name: string): string => join(import.meta.dirname, "../servers", `${name}.ts`);

export async function rollouts({ pods, runs, controllerFlags, tell }: RolloutOptions): Promise<Rollouts> {
  await using stack = new AsyncDisposableStack();
  const { cluster } = stack.use(await controlPlane());
  const { kubeconfig } = cluster;
  const api = stack.use(connect({ kubeconfig, userAgent: "hot-bench" }));
  await createSurroundings(api);
  let version = 1;
  await api.create(SIDECAR_SETS, sidecarSet(version));
  const kubelets = stack.use(startChild(server("kubelets"), [kubeconfig, String(KUBELET_DELAY_MS)]));
  const stop = new AbortController();
  stack.defer(() => stop.abort());
  const watch = new PodWatch(api);
  await watch.start(stop.signal);
  await createPods(api, pods);
  await watch.until(pods, imageOf(version), () => Promise.resolve());
  tell(`${pods} pods are Ready, and as many of nobody`);
  const controller = stack.use(await startController(kubeconfig, api, pods, controllerFlags));
  tell("the controller knows all pods");
  const writer = stack.use(startChild(server("writer"), [kubeconfig]));
  const pids = {
    "API server": cluster.processes.pid("apiserver") ?? 0,
    etcd: cluster.processes.pid("etcd") ?? 0,
    controller: controller.pid,
    kubelets: kubelets.pid,
    bench: process.pid,
    "plain client": writer.pid,
  };
  /** What the processes take for it. */
  const taken = async <T>(work: () => Promise<T>): Promise<[T, Readonly<Record<string, number>>]> => {
    const before = processorTime(pids);
    const result = await work();
    const after = processorTime(pids);
    return [result, Object.fromEntries(Object.entries(after).map(([name, at]) => [name, at - (before[name] ?? 0)]))];
  };

  const rollout = async (): Promise<Omit<Run, "plain" | "byHand">> => {
    await kubelets.ask<KubeletReport>("report");
    const before = requestsOf(cluster);
    let startedAt = performance.now();
    const begin = async (): Promise<void> => {
      startedAt = performance.now();
      await upgradeTo(api, version);
    };
    const [progress, processors] = await taken(() => watch.until(pods, imageOf(++version), begin));
    const ms = performance.now() - startedAt;
    // Also what is left to be said of it.
    await quiet(cluster);
    const report = await kubelets.ask<KubeletReport>("report");
    const writes = writesOf(before, requestsOf(cluster), report.writes);
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
    const wish = imageOf(version);
    const [byHand, processors] = await taken(() => writer.ask<Written>("byHand", { ...asked, wish }));
    done.push({ ...own, plain, byHand: { ...byHand, processors } });
    await quiet(cluster);
    tell(`rollout ${run + 1} of ${runs}: ${(own.ms / 1000).toFixed(1)} s; by hand ${(byHand.ms / 1000).toFixed(1)} s`);
  }
  const [first] = watch.list();
  return {
    podBytes: JSON.stringify(first).length,
    patchBytes: bytes,
    inspected: watch.inspected,
    violations: watch.violations,
    cold,
    runs: done,
  };
}

function writesOf(before: Requests, after: Requests, kubelets: number): PodWrites {
  const of = (which: RegExp): number => between(before, after, which);
  const statuses = of(/^PATCH pods\/status /);
  return {
    written: of(/^PATCH pods 200$/),
    conflicts: of(/^PATCH pods 409$/),
    statuses: statuses - kubelets,
    others: of(WRITES) - of(/^PATCH pods /) - statuses,
  };
}

async function createPods(api: Api, count: number): Promise<void> {
  const first = sidecarSet(1);
  const all = Array.from({ length: count }, (_, index) => injected(`web-${String(index).padStart(5, "0")}`, first));
  const rest: Iterator<Pod> & Iterable<Pod> = all.flatMap((pod) => [pod, nobodys(pod)]).values();
  const worker = async (): Promise<void> => {
    for (const pod of rest) await api.create(RESOURCES.pods, pod);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}
