// SPDX-License-Identifier: Apache-2.0
// The controller of the application with all its caches: how long they take to fill, and what they weigh.
import { EventEmitter } from "node:events";
import { flushCompileCache } from "node:module";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { createController, projectPod, type PodProjection } from "../../../packages/controller/src/index.ts";
import { connect, createReflector, RESOURCES, type KubeObject } from "@hot/kube";
import type { Pod, SidecarSet } from "@hot/spec";
import { SIDECAR_SETS } from "../../../apps/demo/src/fleet.ts";
import { answering } from "../child.ts";

/** Milliseconds by the clock, and of the processor for all threads of this process. */
export interface Spent {
  readonly pods: number;
  readonly ms: number;
  readonly cpuMs: number;
}

/** How long others had to wait for the event loop, in milliseconds. */
export interface Blocked {
  readonly p99Ms: number;
  readonly longestMs: number;
}

export interface FirstPlans extends Spent {
  /** While pods were read, and from then until every SidecarSet was planned for. */
  readonly reading: Blocked;
  readonly planning: Blocked;
}

export interface Weight {
  /** Resident memory in MB: of everything, and of what it was before the pods. */
  readonly rssMb: number;
  readonly emptyMb: number;
  readonly heapMb: number;
}

const QUIET_MS = 10_000;
const PAGE = 500;
const [kubeconfig = ""] = process.argv.slice(2);
const api = connect({ kubeconfig, userAgent: "hot-bench-cache" });
const emptyMb = process.memoryUsage.rss() / 2 ** 20;

async function spent(work: () => Promise<number>): Promise<Spent> {
  const [cpu, begun] = [process.cpuUsage(), performance.now()];
  const pods = await work();
  const { user, system } = process.cpuUsage(cpu);
  return { pods, ms: performance.now() - begun, cpuMs: (user + system) / 1000 };
}

/** The same pages read and parsed, and nothing done with them: nobody can be faster. */
function parse(): Promise<Spent> {
  return spent(async () => {
    let [count, token] = [0, undefined as string | undefined];
    do {
      const { items, metadata } = await api.list(RESOURCES.pods, {
        limit: PAGE,
        onItem: () => count++,
        ...(token !== undefined && { continue: token }),
      });
      count += items.length;
      token = metadata.continue;
    } while (token !== undefined);
    return count;
  });
}

const delay = monitorEventLoopDelay({ resolution: 1 });

function blocked(): Blocked {
  const [p99Ms, longestMs] = [delay.percentile(99) / 1e6, delay.max / 1e6];
  delay.reset();
  return { p99Ms, longestMs };
}

/** Tells of each reconcile how many there were. */
const plans = new EventEmitter<{ made: [count: number] }>();
let planned = 0;

function onMetric(name: string): void {
  if (name === "hot_reconcile_duration_seconds") plans.emit("made", ++planned);
}

let reading: Blocked | undefined;

/** What follows a sync, until every SidecarSet was looked at. */
async function firstPlans(sets: number): Promise<FirstPlans> {
  const took = await spent(async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (count: number): void => void (count >= sets && resolve());
    plans.on("made", look);
    look(planned);
    await promise;
    return sets;
  });
  const planning = blocked();
  return { ...took, reading: reading ?? planning, planning };
}

/** Until the controller makes its first decisions. */
function synchronise(): Promise<Spent> {
  const { signal } = new AbortController();
  delay.enable();
  const sidecarSets = createReflector<SidecarSet & KubeObject>({ api, resource: SIDECAR_SETS });
  const namespaces = createReflector({ api, resource: RESOURCES.namespaces });
  const pods = createReflector<Pod & KubeObject, PodProjection>({ api, resource: RESOURCES.pods, project: projectPod });
  return spent(async () => {
    const controller = createController({ api, sidecarSets, namespaces, pods, onMetric });
    for (const one of [sidecarSets, namespaces, pods, controller]) void one.run(signal);
    await Promise.all([sidecarSets, namespaces, pods].map((one) => one.waitForSync(signal)));
    reading = blocked();
    return pods.store.size;
  });
}

async function weigh(): Promise<Weight> {
  await sleep(QUIET_MS);
  const { rss, heapUsed } = process.memoryUsage();
  return { rssMb: rss / 2 ** 20, emptyMb, heapMb: heapUsed / 2 ** 20 };
}

answering({ compiled: () => flushCompileCache(), parse, synchronise, firstPlans, weigh });
