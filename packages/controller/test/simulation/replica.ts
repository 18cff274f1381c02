// SPDX-License-Identifier: Apache-2.0
import {
  createReflector,
  fencedApi,
  NotLeaderError,
  RESOURCES,
  type Clock,
  type KubeObject,
  type Reflector,
} from "@hot/kube";
import { HASH_ANNOTATION, type ControllerRevision, type SidecarSet } from "@hot/spec";
import { SIDECAR_SETS } from "../../src/act/write-status.ts";
import { createController, projectPod, type PodProjection } from "../../src/index.ts";
import { createConnection, type OnArrival, type PatchCall } from "./connection.ts";
import type { Owner } from "./scheduler.ts";
import type { World } from "./world.ts";

/** Looks at every write of a replica: when it is sent, and again when it is carried out. */
export type Inspect = (replica: Replica, call: PatchCall) => OnArrival;

/** Where ControllerRevisions are kept. */
export const SYSTEM = "hot-system";

/** One process with the real controller in it, for one term as a leader. */
export class Replica implements Owner {
  readonly name: string;
  dead = false;
  frozenUntil = 0;
  /** Virtual time at which its lease has run out, by its own clock. */
  leaseUntil = Infinity;
  /** Its clock is wrong, so that it takes itself for the leader though it is not. */
  isDeluded = false;
  readonly sidecarSets: Reflector<SidecarSet>;
  readonly pods: Reflector<PodProjection>;
  readonly #abort = new AbortController();
  readonly #giveUp = new AbortController();
  readonly #world: World;
  /** By name: the newest state that any answer or event has shown. */
  readonly #seen = new Map<string, SidecarSet>();
  /** By pod: what it says of its SidecarSets, and since when that is known. */
  readonly #heard = new Map<string, { readonly hashes: string | undefined; readonly at: number }>();
  /** Pods that it has heard are gone, as they were, and since when that is known. */
  readonly #gone = new Map<string, { readonly pod: PodProjection; readonly at: number }>();
  #ended: Promise<unknown> | undefined;
  readonly #parts: readonly { run(signal: AbortSignal): Promise<void> }[];

  constructor(world: World, name: string, hasHistory: boolean, inspect: Inspect) {
    this.#world = world;
    this.name = name;
    const { scheduler, random } = world;
    const clock: Clock = { now: () => scheduler.now, after: (ms, run) => scheduler.after(ms, this, run) };
    const api = createConnection(world, this, {
      onSend: (call) => inspect(this, call),
      onRead: (plural, object) => {
        if (plural === SIDECAR_SETS.plural) this.#see(object as SidecarSet);
      },
    });
    const common = { api, clock, random: () => random.next() };
    this.sidecarSets = createReflector<SidecarSet & KubeObject>({ ...common, resource: SIDECAR_SETS });
    this.sidecarSets.subscribe(({ object }) => this.#see(object));
    const namespaces = createReflector({ ...common, resource: RESOURCES.namespaces });
    this.pods = createReflector({ ...common, resource: RESOURCES.pods, project: projectPod });
    this.pods.subscribe(({ key, type, object }) => {
      const hashes = object.annotations[HASH_ANNOTATION];
      const known = this.#heard.get(key);
      if (known?.hashes !== hashes) this.#heard.set(key, { hashes, at: scheduler.now });
      if (type === "deleted") this.#gone.set(key, { pod: object, at: scheduler.now });
    });
    const revisions = createReflector<ControllerRevision & KubeObject>({
      ...common,
      resource: RESOURCES.controllerRevisions,
      namespace: SYSTEM,
    });
    const fence = (): void => {
      const isLate = !this.isDeluded && scheduler.now >= this.leaseUntil;
      if (isLate || this.#abort.signal.aborted) throw new NotLeaderError("simulation");
    };
    const controller = createController({
      ...common,
      api: fencedApi(api, { fence, writes: this.#giveUp.signal }),
      sidecarSets: this.sidecarSets,
      namespaces,
      pods: this.pods,
      ...(hasHistory && { history: { namespace: SYSTEM, revisions } }),
      events: {
        event: (on, { reason, note }) => world.note(() => `${name}: event ${on.metadata.name} ${reason} ${note}`),
      },
    });
    this.#parts = [this.sidecarSets, namespaces, this.pods, ...(hasHistory ? [revisions] : []), controller];
  }

  /** The newest state of a SidecarSet that it has seen; what was seen stays seen, though a list may go back in time. */
  knownSidecarSet(name: string): SidecarSet | undefined {
    return this.#seen.get(name);
  }

  /** Since when it knows what the pod says of its SidecarSets. */
  heardAt(pod: string): number {
    return this.#heard.get(pod)?.at ?? this.#world.scheduler.now;
  }

  /** Those that it has known at this time and since: with what has gone, as it was. */
  knownSince(time: number): PodProjection[] {
    const gone = [...this.#gone.values()].filter(({ at }) => at >= time);
    return [...this.pods.store.list(), ...gone.map(({ pod }) => pod)];
  }

  #see(sidecarSet: SidecarSet): void {
    const { name = "" } = sidecarSet.metadata;
    if (versionOf(sidecarSet) >= versionOf(this.#seen.get(name))) this.#seen.set(name, sidecarSet);
  }

  start(): void {
    this.#world.note(() => `${this.name}: leads`);
    this.#ended = Promise.all(this.#parts.map((one) => one.run(this.#abort.signal)));
    this.#ended.catch((error: unknown) => this.#world.violate(`${this.name} has ended: ${String(error)}`));
  }

  /** SIGKILL: nothing of it ever happens any more, but what it has sent may arrive. */
  kill(): void {
    this.#world.note(() => `${this.name}: killed`);
    this.dead = true;
  }

  /** SIGTERM: what is under way is finished, since the lease is its own meanwhile. Otherwise the lease is lost. */
  async stop(isLost = false): Promise<void> {
    this.#world.note(() => `${this.name}: is told to stop`);
    // It hears of it in a step of its own: not before it has thawed, if it stands still.
    await this.#world.scheduler.sleep(0, this);
    this.#abort.abort();
    if (isLost) this.#giveUp.abort();
    await this.#ended;
  }
}

function versionOf(sidecarSet: SidecarSet | undefined): number {
  return Number(sidecarSet?.metadata.resourceVersion ?? "0");
}
