// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { ApiError } from "@hot/kube";
import type {
  Api,
  DeleteOptions,
  List,
  ListOptions,
  Patch,
  Resource,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "@hot/kube";
import type { Pod, PodCondition, PodSpec, PodStatus } from "@hot/spec";

type Listener = (event: WatchEvent<Pod>) => void;

function failure(status: number, message: string): ApiError {
  return new ApiError("a call of the test", status, { message });
}

/** Just enough of a Kubernetes API for one node: pods with generation, status subresource, graceful deletion and watch. */
export class FakeApi implements Api {
  readonly #pods = new Map<string, Pod>();
  readonly #listeners = new Set<Listener>();
  readonly nodes = new Map<string, object>();
  /** Every state of every pod, oldest first. */
  readonly history: Pod[] = [];
  /** While it is set, calls that write a status fail with it. */
  statusFailure: number | undefined;
  readonly #events: { version: number; event: WatchEvent<Pod> }[] = [];
  #version = 0;

  addPod(name: string, spec: PodSpec, annotations: Record<string, string> = {}): Pod {
    return this.#store("ADDED", {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: "default", uid: randomUUID(), generation: 1, annotations, labels: {} },
      spec: { nodeName: "local", ...spec },
      status: { phase: "Pending" },
    });
  }

  pod(name: string): Pod {
    const pod = this.#pods.get(name);
    if (pod === undefined) throw failure(404, `pod ${name} not found`);
    return pod;
  }

  exists(name: string): boolean {
    return this.#pods.has(name);
  }

  setImage(name: string, container: string, image: string, annotations: Record<string, string> = {}): Pod {
    const pod = structuredClone(this.pod(name));
    const target = pod.spec.containers.find((one) => one.name === container)!;
    target.image = image;
    pod.metadata.generation = (pod.metadata.generation ?? 0) + 1;
    pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
    return this.#store("MODIFIED", pod);
  }

  setCondition(name: string, condition: PodCondition): void {
    const pod = structuredClone(this.pod(name));
    pod.status = { ...pod.status, conditions: [...(pod.status?.conditions ?? []), condition] };
    this.#store("MODIFIED", pod);
  }

  deletePod(name: string, gracePeriodSeconds?: number): void {
    const pod = structuredClone(this.pod(name));
    const grace = gracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
    if (grace === 0) {
      this.#pods.delete(name);
      pod.metadata.resourceVersion = String(++this.#version);
      this.#emit({ type: "DELETED", object: pod });
      return;
    }
    pod.metadata.deletionTimestamp = new Date().toISOString();
    pod.metadata.deletionGracePeriodSeconds = grace;
    this.#store("MODIFIED", pod);
  }

  /** Resolves with the first state of a pod, now or later, for which `accept` holds. */
  until(name: string, accept: (pod: Pod) => boolean): Promise<Pod> {
    return new Promise((resolve) => {
      const now = this.#pods.get(name);
      if (now !== undefined && accept(now)) return resolve(now);
      const listener: Listener = (event) => {
        if (event.type !== "ADDED" && event.type !== "MODIFIED") return;
        if (event.object.metadata.name !== name || !accept(event.object)) return;
        this.#listeners.delete(listener);
        resolve(event.object);
      };
      this.#listeners.add(listener);
    });
  }

  untilGone(name: string): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#pods.has(name)) return resolve();
      const listener: Listener = (event) => {
        if (event.type !== "DELETED" || event.object.metadata.name !== name) return;
        this.#listeners.delete(listener);
        resolve();
      };
      this.#listeners.add(listener);
    });
  }

  async list<T>(_resource: Resource, _options?: ListOptions): Promise<List<T>> {
    return { metadata: { resourceVersion: String(this.#version) }, items: [...this.#pods.values()] as T[] };
  }

  async *watch<T>(_resource: Resource, { signal, resourceVersion }: WatchOptions): AsyncIterable<WatchEvent<T>> {
    const queue = this.#events.filter(({ version }) => version > Number(resourceVersion)).map(({ event }) => event);
    let wake = (): void => undefined;
    const listener: Listener = (event) => {
      queue.push(event);
      wake();
    };
    this.#listeners.add(listener);
    signal?.addEventListener("abort", () => wake());
    try {
      for (;;) {
        if (signal?.aborted) return;
        const event = queue.shift();
        if (event === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else yield event as WatchEvent<T>;
      }
    } finally {
      this.#listeners.delete(listener);
    }
  }

  async create<T>(_resource: Resource, object: object): Promise<T> {
    const { name = "" } = (object as Pod).metadata;
    if (this.nodes.has(name)) throw failure(409, `node ${name} already exists`);
    this.nodes.set(name, object);
    return object as T;
  }

  async patch<T>(_resource: Resource, name: string, patch: Patch, options: WriteOptions = {}): Promise<T> {
    if (patch.type !== "strategic" || options.subresource !== "status") throw new Error("not expected");
    if (this.statusFailure !== undefined) throw failure(this.statusFailure, "told to fail");
    const pod = structuredClone(this.pod(name));
    const { metadata, status } = structuredClone(patch.body) as Pod;
    if (metadata.uid !== pod.metadata.uid) throw failure(409, "Precondition failed: UID");
    pod.status = mergeStatus(pod.status ?? {}, status ?? {});
    return this.#store("MODIFIED", pod) as T;
  }

  async delete(_resource: Resource, name: string, options: DeleteOptions = {}): Promise<unknown> {
    if (options.preconditions?.uid !== this.pod(name).metadata.uid) throw failure(409, "Precondition failed: UID");
    this.deletePod(name, options.gracePeriodSeconds);
    return {};
  }

  async get<T>(_resource: Resource, name: string): Promise<T> {
    return this.pod(name) as T;
  }

  async update<T>(): Promise<T> {
    throw new Error("a kubelet does not PUT");
  }

  #store(type: "ADDED" | "MODIFIED", pod: Pod): Pod {
    pod.metadata.resourceVersion = String(++this.#version);
    this.#pods.set(pod.metadata.name ?? "", pod);
    this.history.push(pod);
    this.#emit({ type, object: pod });
    return pod;
  }

  #emit(event: WatchEvent<Pod>): void {
    this.#events.push({ version: this.#version, event });
    for (const listener of this.#listeners) listener(event);
  }
}

/** Strategic merge of a pod status: conditions by type, null removes, lists are replaced. */
function mergeStatus(old: PodStatus, change: PodStatus): PodStatus {
  const conditions = new Map((old.conditions ?? []).map((one) => [one.type, one]));
  for (const one of change.conditions ?? []) {
    const merged = Object.entries({ ...conditions.get(one.type), ...one }).filter(
      ([key, value]) => value !== null || key === "lastProbeTime",
    );
    conditions.set(one.type, Object.fromEntries(merged) as unknown as PodCondition);
  }
  return { ...old, ...change, conditions: [...conditions.values()] };
}
