// SPDX-License-Identifier: Apache-2.0
import { HASH_ANNOTATION, RETRY_ANNOTATION, type ControllerRevision, type Pod } from "@hot/spec";
import { SIDECAR_SETS } from "../../src/act/write-status.ts";
import { injectedByAll } from "./injected-by-all.ts";
import { inject } from "./injection.ts";
import { Kubelet, type Node } from "./kubelet.ts";
import { Machine } from "./machine.ts";
import { notReady, seconds } from "./pod-status.ts";
import { NATURE } from "./scheduler.ts";
import { Scope } from "./scope.ts";
import { storedFor, type Wish } from "./sidecar-sets.ts";
import type { Scenario } from "./scenario.ts";
import type { World } from "./world.ts";

interface Place {
  readonly machine: Machine;
  readonly node: Node;
  kubelet: Kubelet;
  /** What the pod was injected with, by SidecarSet. */
  readonly injected: ReadonlyMap<string, Wish>;
}

/** How long a kubelet may be silent, in milliseconds. */
const NODE_GRACE = 40_000;

/** Pods with their kubelets, and one or two SidecarSets. */
export class Cluster {
  readonly scopes: readonly Scope[];
  /** Of all. */
  readonly bases: readonly string[];
  readonly places = new Map<string, Place>();
  readonly machines = new Map<string, Machine>();
  registryDown = false;
  /** When the last of the lost nodes comes back, in virtual milliseconds. */
  backAt = 0;
  readonly #world: World;
  readonly #oldKubelets: boolean;
  readonly hasHook: boolean;
  #uids = 0;
  #tokens = 0;

  constructor(world: World, { wishes, oldKubelets, hook }: Scenario) {
    this.#world = world;
    this.#oldKubelets = oldKubelets;
    this.hasHook = hook;
    this.scopes = wishes.map((wish) => new Scope(wish));
    this.bases = this.scopes.flatMap((one) => one.bases);
    world.server.put("namespaces", "ns1", { metadata: { name: "ns1", uid: "ns1", labels: {} } });
    world.server.onCommit(({ plural, key, object, before, type }) => {
      const isOrphaning =
        plural === "sidecarsets" ? type === "DELETED" : plural === "controllerrevisions" && type === "ADDED";
      if (isOrphaning) world.scheduler.after(world.random.int(10, 5_000), NATURE, () => this.#collect());
      if (plural === "pods" && before !== undefined && before.spec !== object.spec)
        this.places.get(key)?.kubelet.poke();
    });
  }

  /** Those that exist. */
  get present(): Scope[] {
    return this.scopes.filter((one) => this.#world.server.sidecarSet(one.name) !== undefined);
  }

  scope(name: string): Scope {
    return this.scopes.find((one) => one.name === name)!;
  }

  /** To whom a hot pair belongs. */
  ownerOf(base: string): Scope {
    return this.scopes.find((one) => one.bases.includes(base))!;
  }

  /** Writes the SidecarSet as a user and the webhook do; creates it where there is none. */
  apply(wish: Wish): void {
    const { server } = this.#world;
    const scope = this.scope(wish.name);
    scope.wish = wish;
    if (wish.note !== undefined) scope.notes.add(wish.note);
    const stored = storedFor(wish);
    const before = server.sidecarSet(wish.name);
    scope.wishes.set(stored.metadata.annotations?.[HASH_ANNOTATION] ?? "", wish);
    const uid = before?.metadata.uid ?? `uid-${wish.name}-${++this.#uids}`;
    const annotations = { ...before?.metadata.annotations, ...stored.metadata.annotations };
    const metadata = { ...before?.metadata, ...stored.metadata, annotations, uid };
    server.put("sidecarsets", wish.name, { ...stored, metadata });
  }

  remove(name: string): void {
    this.scope(name).wasDeleted = true;
    this.#world.server.delete("sidecarsets", name);
  }

  /** The garbage collector: revisions whose SidecarSet is no more. */
  #collect(): void {
    const { server } = this.#world;
    const alive = new Set(server.list(SIDECAR_SETS).items.map(({ metadata }) => metadata.uid));
    for (const [key, { metadata }] of server.table("controllerrevisions").objects) {
      const { ownerReferences = [] } = metadata as ControllerRevision["metadata"];
      if (!ownerReferences.some(({ uid }) => alive.has(uid))) server.delete("controllerrevisions", key);
    }
  }

  /**
   * Asks for another attempt of what has failed, on a SidecarSet or on a pod. No value comes back after another one:
   * that would be one more attempt, which the invariants could not tell from the first.
   */
  retry(plural: "sidecarsets" | "pods", key: string, isRepeated: boolean): string {
    const { server } = this.#world;
    const { metadata, ...rest } = server.get(plural, key);
    const said = isRepeated ? metadata.annotations?.[RETRY_ANNOTATION] : undefined;
    const token = said ?? String(++this.#tokens);
    const annotations = { ...metadata.annotations, [RETRY_ANNOTATION]: token };
    server.put(plural, key, { ...rest, metadata: { ...metadata, annotations } });
    return token;
  }

  /** A pod that the webhook has injected, by all that exist, and a kubelet has started. */
  addPod(name: string, age: number): void {
    const { scheduler, server } = this.#world;
    const { present } = this;
    const parts = present.map((one) => inject(this.#world, one, name));
    const injectedPod = injectedByAll(parts.map(({ pod }) => pod));
    const born = this.#world.mirror?.created(injectedPod) ?? injectedPod;
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
    const machine = new Machine(
      this.#world,
      pod,
      present.flatMap((one) => one.bases),
    );
    const node: Node = {
      isOld: this.#oldKubelets,
      hasHook: this.hasHook,
      registryDown: () => this.registryDown,
      starts: new Map(),
    };
    this.machines.set(key, machine);
    const kubelet = new Kubelet(this.#world, machine, node);
    const injected = new Map(present.map((one, index) => [one.name, parts[index]!.wish]));
    this.places.set(key, { machine, node, kubelet, injected });
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

  /**
   * Nobody hears of the kubelet of a pod any more, whose containers go on; after a while Kubernetes' node controller says
   * so.
   *
   * @param after when it comes back; absent: never
   */
  loseNode(key: string, after?: number): void {
    const place = this.places.get(key);
    if (place === undefined || place.kubelet.dead) return;
    const { kubelet } = place;
    this.#world.note(() => `${key}: node lost${after === undefined ? " for good" : ""}`);
    kubelet.dead = true;
    const { scheduler, server } = this.#world;
    scheduler.after(NODE_GRACE, NATURE, () => {
      const pod = server.pod(key);
      if (this.places.get(key) === place && place.kubelet === kubelet && pod !== undefined)
        server.put("pods", key, notReady(pod, scheduler.now), true);
    });
    if (after === undefined) return;
    this.backAt = Math.max(this.backAt, scheduler.now + after);
    scheduler.after(after, NATURE, () => {
      if (this.places.get(key) !== place) return;
      this.#world.note(() => `${key}: node is back`);
      place.kubelet = new Kubelet(this.#world, place.machine, place.node);
      place.kubelet.resume();
    });
  }

  /** Nobody hears of its kubelet. */
  isLost(key: string): boolean {
    return this.places.get(key)?.kubelet.dead === true;
  }

  end(): void {
    for (const { kubelet } of this.places.values()) kubelet.dead = true;
  }
}
