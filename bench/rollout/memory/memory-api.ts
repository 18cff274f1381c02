// SPDX-License-Identifier: Apache-2.0
import {
  ApiError,
  objectKey,
  type Api,
  type KubeObject,
  type List,
  type Patch,
  type Resource,
  type WatchEvent,
} from "@hot/kube";
import type { Pod, PodStatus } from "@hot/spec";

type Watcher = (event: WatchEvent<KubeObject>) => void;

/** What the kubelets do of a pod whose spec has changed. */
type Kubelet = (pod: Pod, before: PodStatus | undefined) => PodStatus;

/**
 * As much of an API server as a rollout needs, at a cost for each write that does not depend on the number of pods, and
 * with objects that share what a write leaves as it is. Kubelets answer in the next turn of the event loop.
 */
export class MemoryApi implements Api {
  patches = 0;
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #watchers = new Map<string, Set<Watcher>>();
  readonly #kubelet: Kubelet;
  #version = 1_000_000_000;

  constructor(kubelet: Kubelet) {
    this.#kubelet = kubelet;
  }

  /** Stores an object as it is; watches see it. */
  put(plural: string, object: KubeObject): void {
    const key = objectKey(object);
    const table = this.#table(plural);
    const type = table.has(key) ? "MODIFIED" : "ADDED";
    const resourceVersion = String(++this.#version);
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion } };
    table.set(key, stored);
    for (const watcher of this.#watchers.get(plural) ?? []) watcher({ type, object: stored });
  }

  /** By `namespace/name`. */
  pod(key: string): KubeObject {
    return this.#find("pods", key, undefined);
  }

  async list<T>({ plural }: Resource): Promise<List<T>> {
    return { metadata: { resourceVersion: String(this.#version) }, items: [...this.#table(plural).values()] as T[] };
  }

  async *watch<T>({ plural }: Resource, { signal }: { signal?: AbortSignal }): AsyncGenerator<WatchEvent<T>> {
    let events: WatchEvent<KubeObject>[] = [];
    let changed = Promise.withResolvers<void>();
    const watcher: Watcher = (event) => {
      events.push(event);
      changed.resolve();
    };
    signal?.addEventListener("abort", () => changed.resolve());
    const isOver = (): boolean => signal?.aborted === true;
    const watchers = this.#watchers.get(plural) ?? new Set();
    this.#watchers.set(plural, watchers.add(watcher));
    try {
      while (!isOver()) {
        await changed.promise;
        changed = Promise.withResolvers();
        const batch = events;
        events = [];
        yield* batch as WatchEvent<T>[];
      }
    } finally {
      watchers.delete(watcher);
    }
  }

  async get<T>({ plural }: Resource, name: string, { namespace }: { namespace?: string } = {}): Promise<T> {
    return this.#find(plural, name, namespace) as T;
  }

  async patch<T>(
    { plural }: Resource,
    name: string,
    { body }: Patch,
    { namespace, subresource }: { namespace?: string; subresource?: string } = {},
  ): Promise<T> {
    this.patches++;
    // An answer comes in another turn of the event loop than the question.
    await new Promise((resolve) => setImmediate(resolve));
    const before = this.#find(plural, name, namespace);
    const change = body as Partial<Pod>;
    const { resourceVersion } = change.metadata ?? {};
    if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) {
      throw new ApiError(`patch ${plural} ${name}`, 409, { reason: "Conflict", message: "it has changed", code: 409 });
    }
    if (subresource === "status") this.put(plural, withStatus(before, body));
    else this.#write(plural, before as Pod & KubeObject, change);
    return this.#find(plural, name, namespace) as T;
  }

  create(): Promise<never> {
    return Promise.reject(new Error("nothing is created"));
  }
  update(): Promise<never> {
    return Promise.reject(new Error("nothing is replaced"));
  }
  delete(): Promise<never> {
    return Promise.reject(new Error("nothing is deleted"));
  }

  #write(plural: string, before: Pod & KubeObject, { metadata, spec }: Partial<Pod>): void {
    const images = new Map(spec?.containers.map(({ name, image }) => [name, image]));
    const containers = before.spec.containers.map((one) =>
      images.has(one.name) ? { ...one, image: images.get(one.name) ?? "" } : one,
    );
    const annotations = { ...before.metadata.annotations, ...metadata?.annotations };
    const generation = (before.metadata.generation ?? 1) + (images.size > 0 ? 1 : 0);
    const after = {
      ...before,
      metadata: { ...before.metadata, annotations, generation },
      spec: { ...before.spec, containers },
    };
    this.put(plural, after);
    if (images.size === 0) return;
    setImmediate(() => {
      const pod = this.#find(plural, after.metadata.name ?? "", after.metadata.namespace) as Pod & KubeObject;
      if (pod.metadata.generation !== generation) return;
      this.put(plural, withStatus(pod, { status: this.#kubelet(pod, pod.status) }));
    });
  }

  #table(plural: string): Map<string, KubeObject> {
    const table = this.#objects.get(plural) ?? new Map<string, KubeObject>();
    this.#objects.set(plural, table);
    return table;
  }

  #find(plural: string, name: string, namespace: string | undefined): KubeObject {
    const found = this.#table(plural).get(namespace === undefined ? name : `${namespace}/${name}`);
    if (found !== undefined) return found;
    throw new ApiError(`get ${plural} ${name}`, 404, { reason: "NotFound", message: "there is none", code: 404 });
  }
}

/** Conditions are merged by their type, as those of a pod are. */
function withStatus(before: KubeObject, change: object): KubeObject {
  const [had, now] = [before, change].map((one) => (one as Pick<Pod, "status">).status ?? {});
  const types = new Set(now?.conditions?.map(({ type }) => type));
  const conditions = [...(had?.conditions ?? []).filter(({ type }) => !types.has(type)), ...(now?.conditions ?? [])];
  return { ...before, status: { ...had, ...now, conditions } } as KubeObject;
}
