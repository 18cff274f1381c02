// SPDX-License-Identifier: Apache-2.0
import { HASH_ANNOTATION, type Pod } from "@hot/spec";
import { injectedPod } from "../support/builders.ts";
import { Kubelet, type Node } from "./kubelet.ts";
import { Machine } from "./machine.ts";
import { seconds } from "./pod-status.ts";
import { NATURE } from "./scheduler.ts";
import { storedFor, type Wish } from "./sidecar-sets.ts";
import type { Scenario } from "./scenario.ts";
import type { World } from "./world.ts";

interface Place {
  readonly machine: Machine;
  readonly node: Node;
  kubelet: Kubelet;
  /** What the pod was injected with. */
  readonly injected: Wish;
}

/** Pods with their kubelets, and the one SidecarSet. */
export class Cluster {
  readonly bases: readonly string[];
  readonly places = new Map<string, Place>();
  readonly machines = new Map<string, Machine>();
  /** Hash of a SidecarSet → what it wanted. */
  readonly wishes = new Map<string, Wish>();
  wish: Wish;
  registryDown = false;
  readonly #world: World;
  readonly #oldKubelets: boolean;
  readonly #hook: boolean;
  #uids = 0;

  constructor(world: World, { wish, oldKubelets, hook }: Scenario) {
    this.#world = world;
    this.#oldKubelets = oldKubelets;
    this.#hook = hook;
    this.wish = wish;
    this.bases = Object.keys(wish.hot);
    world.server.put("namespaces", "ns1", { metadata: { name: "ns1", uid: "ns1", labels: {} } });
    world.server.onCommit(({ plural, key, object, before }) => {
      if (plural === "pods" && before !== undefined && before.spec !== object.spec)
        this.places.get(key)?.kubelet.poke();
    });
  }

  get exists(): boolean {
    return this.#world.server.sidecarSet(this.wish.name) !== undefined;
  }

  /** Writes the SidecarSet as a user and the webhook do; creates it where there is none. */
  apply(wish: Wish): void {
    const { server } = this.#world;
    this.wish = wish;
    const stored = storedFor(wish);
    const before = server.sidecarSet(wish.name);
    this.wishes.set(stored.metadata.annotations?.[HASH_ANNOTATION] ?? "", wish);
    const uid = before?.metadata.uid ?? `uid-${wish.name}-${++this.#uids}`;
    server.put("sidecarsets", wish.name, { ...stored, metadata: { ...before?.metadata, ...stored.metadata, uid } });
  }

  remove(): void {
    this.#world.server.delete("sidecarsets", this.wish.name);
  }

  /** A pod that the webhook has injected and a kubelet has started. */
  addPod(name: string, age: number): void {
    const { scheduler, server } = this.#world;
    const born = injectedPod(storedFor(this.wish), name);
    const readyAt = { lastTransitionTime: seconds(scheduler.now - age) };
    const pod: Pod = {
      ...born,
      metadata: { ...born.metadata, uid: `uid-${name}-${++this.#uids}` },
      status: {
        ...born.status,
        conditions: (born.status?.conditions ?? []).map((one) => Object.assign({}, one, readyAt)),
      },
    };
    if (this.#oldKubelets) delete pod.status?.observedGeneration;
    const key = `ns1/${name}`;
    const machine = new Machine(this.#world, pod, this.bases);
    const node: Node = {
      isOld: this.#oldKubelets,
      hasHook: this.#hook,
      registryDown: () => this.registryDown,
      starts: new Map(),
    };
    this.machines.set(key, machine);
    const kubelet = new Kubelet(this.#world, machine, node);
    this.places.set(key, { machine, node, kubelet, injected: this.wish });
    server.put("pods", key, pod);
  }

  deletePod(key: string): void {
    this.#world.note(() => `user: deletes ${key}`);
    const place = this.places.get(key);
    if (place !== undefined) place.kubelet.dead = true;
    this.places.delete(key);
    this.machines.delete(key);
    this.#world.server.delete("pods", key);
  }

  /** The kubelet of a pod is killed and comes back after a while; the containers go on. */
  restartKubelet(key: string, after: number): void {
    const place = this.places.get(key);
    if (place === undefined || place.kubelet.dead) return;
    this.#world.note(() => `${key}: kubelet killed${place.kubelet.isInHook ? " in mid-hook" : ""}`);
    place.kubelet.dead = true;
    this.#world.scheduler.after(after, NATURE, () => {
      if (this.places.get(key) !== place) return;
      this.#world.note(() => `${key}: kubelet starts`);
      place.kubelet = new Kubelet(this.#world, place.machine, place.node);
      place.kubelet.resume();
    });
  }

  end(): void {
    for (const { kubelet } of this.places.values()) kubelet.dead = true;
  }
}
