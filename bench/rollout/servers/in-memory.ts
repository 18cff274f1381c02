// SPDX-License-Identifier: Apache-2.0
// The controller at an API server in its own memory: what one event of a pod costs, and a whole rollout.
import { setTimeout as sleep } from "node:timers/promises";
import { createController, projectPod, type PodProjection } from "../../../packages/controller/src/index.ts";
import { createReflector, RESOURCES, systemClock, type Clock, type KubeObject } from "@hot/kube";
import type { Pod, SidecarSet } from "@hot/spec";
import { SIDECAR_SETS } from "../../../apps/demo/src/fleet.ts";
import { nodePod, reported } from "../api/kubelet-status.ts";
import { answering } from "../child.ts";
import { EMPTY, meshOf, namespaces, podOf, SETS, setOf, WISH, type Shares } from "../memory/fleet.ts";
import { MemoryApi } from "../memory/memory-api.ts";

export interface Fleet {
  readonly pods: number;
  readonly shares: Shares;
}

export interface EventCost {
  /** Milliseconds from the event of one pod to the end of what the controller makes of it, and of processor time. */
  readonly aloneMs: readonly number[];
  readonly aloneCpuMs: readonly number[];
  /** Milliseconds of processor time for each of 1,000 events, a hundred at once; and how many plans were made of them. */
  readonly togetherMs: number;
  readonly plans: number;
}

export interface RolloutCost {
  readonly ms: number;
  /** Milliseconds of processor time of this process, API server and kubelets in it included. */
  readonly cpuMs: number;
  readonly patches: number;
  readonly reconciles: number;
}

const QUIET_MS = 200;
const TOGETHER = 1_000;
const BREATH_MS = 10;

/** As the system's, in parts of a millisecond. */
const clock: Clock = { ...systemClock, now: () => performance.timeOrigin + performance.now() };
const api = new MemoryApi((pod, before) => reported(nodePod(pod), before, Date.now()));
let reconciles = 0;
let onReconcile: (seconds: number) => void = () => undefined;

async function start({ pods: count, shares }: Fleet): Promise<void> {
  for (const one of namespaces()) api.put("namespaces", one);
  for (let set = 0; set < SETS; set++) api.put("sidecarsets", meshOf(set));
  for (let index = 0; index < count; index++) api.put("pods", shared(podOf(index, shares)));
  const { signal } = new AbortController();
  const sidecarSets = createReflector<SidecarSet & KubeObject>({ api, resource: SIDECAR_SETS });
  const spaces = createReflector({ api, resource: RESOURCES.namespaces });
  const pods = createReflector<Pod & KubeObject, PodProjection>({ api, resource: RESOURCES.pods, project: projectPod });
  const onMetric = (name: string, _: unknown, value: number | undefined): void => {
    if (name !== "hot_reconcile_duration_seconds") return;
    reconciles++;
    onReconcile(value ?? 0);
  };
  const controller = createController({ api, sidecarSets, namespaces: spaces, pods, clock, onMetric });
  for (const one of [sidecarSets, spaces, pods, controller]) void one.run(signal);
  await Promise.all([sidecarSets, spaces, pods].map((one) => one.waitForSync(signal)));
  await quiet(SETS);
}

const parts = new Map<string, unknown>();

/** Containers of many pods have the same env, ports and probes: they are kept once. */
function shared(pod: Pod & KubeObject): Pod & KubeObject {
  const once = <T>(value: T): T => {
    const text = JSON.stringify(value);
    if (!parts.has(text)) parts.set(text, value);
    return parts.get(text) as T;
  };
  const containers = pod.spec.containers.map((container) => ({
    ...container,
    volumeMounts: [],
    ...(container.env && { env: once(container.env) }),
    ...(container.ports && { ports: once(container.ports) }),
    ...(container.resources && { resources: once(container.resources) }),
    ...(container.readinessProbe && { readinessProbe: once(container.readinessProbe) }),
  }));
  return { ...pod, spec: { ...pod.spec, containers } };
}

/** So many reconciles are done, and there were none for a while. */
async function quiet(least = 0): Promise<void> {
  for (let before = -1; before !== reconciles || before < least;) {
    before = reconciles;
    await sleep(QUIET_MS);
  }
}

/** An event that changes nothing of what is decided: a kubelet writes the same status again. */
function touch(key: string): void {
  api.put("pods", { ...api.pod(key) });
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** Milliseconds of processor time since then. */
function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Of pods of the first SidecarSet. */
async function eventCost({ shares, events }: Fleet & { readonly events: number }): Promise<EventCost> {
  const aloneMs: number[] = [];
  const aloneCpuMs: number[] = [];
  const keys = Array.from({ length: Math.min(events, shares.own) }, (_, index) => keyOf(podOf(index, shares)));
  for (let event = 0; event < events; event++) {
    const done = Promise.withResolvers<void>();
    onReconcile = () => done.resolve();
    const [cpu, begun] = [process.cpuUsage(), performance.now()];
    touch(keys[event % keys.length] ?? "");
    await done.promise;
    aloneMs.push(performance.now() - begun);
    aloneCpuMs.push(cpuSince(cpu));
    await sleep(1);
  }
  onReconcile = () => undefined;
  await quiet();
  const [cpu, before] = [process.cpuUsage(), reconciles];
  for (let event = 0; event < TOGETHER; event++) {
    touch(keys[event % keys.length] ?? "");
    if (event % 100 === 99) await sleep(BREATH_MS);
  }
  // Between two plans of very many pods is a rest.
  await quiet(before + 1);
  return { aloneMs, aloneCpuMs, togetherMs: cpuSince(cpu) / TOGETHER, plans: reconciles - before };
}

/** All pods of all SidecarSets get another image. */
async function rollout({ pods, shares }: Fleet): Promise<RolloutCost> {
  const before = reconciles;
  const [cpu, begun] = [process.cpuUsage(), performance.now()];
  const sets = new Set(Array.from({ length: pods }, (_, index) => setOf(index, shares)));
  for (const set of sets) api.put("sidecarsets", meshOf(set, WISH));
  while (!(await isDone())) await sleep(QUIET_MS);
  return {
    ms: performance.now() - begun,
    cpuMs: cpuSince(cpu),
    patches: api.patches,
    reconciles: reconciles - before,
  };
}

let left: Set<string> | undefined;

async function isDone(): Promise<boolean> {
  const { items } = left === undefined ? await api.list<Pod & KubeObject>(RESOURCES.pods) : { items: [] };
  left ??= new Set(items.map(keyOf));
  for (const key of left) {
    if (!isSettled(api.pod(key) as Pod)) return false;
    left.delete(key);
  }
  return true;
}

function isSettled({ metadata, spec, status }: Pod): boolean {
  const images = new Set(spec.containers.map(({ image }) => image));
  return images.has(WISH) && images.has(EMPTY) && status?.observedGeneration === metadata.generation;
}

answering({ start, eventCost, rollout });
