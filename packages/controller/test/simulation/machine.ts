// SPDX-License-Identifier: Apache-2.0
import { pairNames, VERSION_ALT_ANNOTATION_PREFIX, VERSION_ANNOTATION_PREFIX, type Pod } from "@hot/spec";
import { fateOf, isEmptyImage } from "./images.ts";
import { answers, type Process } from "./process.ts";
import { NATURE } from "./scheduler.ts";
import { Sockets } from "./sockets.ts";
import type { World } from "./world.ts";

/** What really runs of one pod: its containers' processes and the sockets of its hot pairs. Outlives its kubelet. */
export class Machine {
  readonly key: string;
  readonly uid: string;
  readonly processes = new Map<string, Process>();
  readonly sockets: Sockets[] = [];
  /** Container → which upgrade of the pod has given it its spec image. */
  readonly nth = new Map<string, number>();
  /** Container → the version that Kruise has given it last. */
  readonly byKruise = new Map<string, string>();
  /** Told when a process has changed by itself. */
  onChange: (process: Process) => void = () => undefined;
  readonly #world: World;
  /** `nth` by the VERSION that it has given: a kubelet may start a container for a pod that it has read before. */
  readonly #nthOf = new Map<string, number>();
  #upgrades = 0;
  #instances = 0;

  constructor(world: World, pod: Pod, bases: readonly string[]) {
    this.#world = world;
    this.uid = pod.metadata.uid ?? "";
    this.key = `${pod.metadata.namespace}/${pod.metadata.name}`;
    for (const { name, image = "" } of pod.spec.containers) {
      this.#nthOf.set(`${name} ${versionOf(name, pod)}`, 0);
      const process = this.#create(name, image, pod, 0);
      // Who has served from the beginning has no takeover to hang in.
      this.processes.set(name, { ...process, isDud: false, ready: true, startedAt: process.startedAt - 86_400_000 });
    }
    for (const base of bases) {
      const sides = pairNames(base).map((name) => this.of(name)) as [Process, Process];
      const owner = isEmptyImage(sides[0].image) ? 1 : 0;
      sides[owner].took = true;
      this.sockets.push(new Sockets(sides, owner));
    }
  }

  /** The next upgrade of the pod: it gives a container its spec image. */
  upgrade(container: string, version: bigint): void {
    this.nth.set(container, ++this.#upgrades);
    this.#nthOf.set(`${container} ${version}`, this.#upgrades);
  }

  of(container: string): Process {
    return this.processes.get(container)!;
  }

  socketsOf(container: string): Sockets | undefined {
    return this.sockets.find((one) => one.sides.some((side) => side.container === container));
  }

  /** A new instance of a container, with the environment that the pod's annotations give it. */
  start(container: string, image: string, pod: Pod, state: Process["state"] = "running"): Process {
    const { random, scheduler } = this.#world;
    const before = this.of(container);
    const process = { ...this.#create(container, image, pod, before.restarts + 1), state };
    process.fell = before.fell && before.image === image;
    this.#replace(before, process);
    if (state !== "running") return process;
    this.#world.note(() => `${this.key}: ${container} starts ${image}, VERSION ${process.version} ALT ${process.alt}`);
    this.#checkOrder(process);
    if (this.socketsOf(container) !== undefined && !isEmptyImage(image)) {
      scheduler.after(random.int(10, random.chance(0.2) ? 5_000 : 500), NATURE, () => this.#move(process));
    }
    if (fateOf(image) === "crash") scheduler.after(random.int(500, 3_000), NATURE, () => this.crash(process));
    return process;
  }

  /** The container could not be made: its report stays that of the one before, which is gone. */
  fail(container: string, image: string, state: Process["state"]): void {
    const before = this.of(container);
    this.#replace(before, { ...before, image, state, ready: false, started: false, took: false });
  }

  /** TERM, or the end after a hook that has failed. */
  stop(process: Process, fell = false): void {
    if (process.state !== "running") return;
    process.state = "ended";
    process.fell = fell;
    this.#world.note(() => `${this.key}: ${process.container} ${process.image} is stopped`);
    this.#end(process, fell ? "crash" : "term");
  }

  /** It dies on its own. */
  crash(process: Process): void {
    if (process.state !== "running" || this.of(process.container) !== process) return;
    process.state = "ended";
    process.fell = !isEmptyImage(process.image);
    this.#world.note(() => `${this.key}: ${process.container} ${process.image} dies`);
    this.#end(process, "crash");
    this.onChange(process);
  }

  /** What the container's own probe says, once it is asked. */
  probe(process: Process): boolean {
    return this.socketsOf(process.container) === undefined ? process.state === "running" : answers(process);
  }

  #end(process: Process, how: "term" | "crash"): void {
    const sockets = this.socketsOf(process.container);
    this.#world.violate(sockets?.end(process, how));
    for (const side of sockets?.sides ?? []) if (side !== process) this.onChange(side);
  }

  #move(process: Process): void {
    const move = this.socketsOf(process.container)?.move(process);
    if (move === undefined) return;
    this.#world.note(() => `${this.key}: ${process.container} ${process.image} ${move}`);
    this.onChange(process);
  }

  #replace(before: Process, after: Process): void {
    this.processes.set(after.container, after);
    const sides = this.socketsOf(after.container)?.sides;
    if (sides !== undefined) sides[sides[0] === before ? 0 : 1] = after;
  }

  #create(container: string, image: string, pod: Pod, restarts: number): Process {
    const { annotations = {} } = pod.metadata;
    const version = versionOf(container, pod);
    return {
      container,
      image,
      containerID: `containerd://${container}-${this.#instances++}`,
      startedAt: this.#world.scheduler.now,
      state: "running",
      restarts,
      version,
      alt: BigInt(annotations[VERSION_ALT_ANNOTATION_PREFIX + container] ?? "0"),
      nth: this.#nthOf.get(`${container} ${version}`) ?? this.nth.get(container) ?? 0,
      ready: false,
      started: true,
      took: false,
      isDud: fateOf(image) === "hang",
      fell: false,
    };
  }

  /** I4. */
  #checkOrder(process: Process): void {
    const sides = this.socketsOf(process.container)?.sides ?? [];
    const alive = sides.filter((one) => one.state === "running" && !isEmptyImage(one.image));
    const [a, b] = [...alive].sort((one, two) => one.nth - two.nth);
    if (a === undefined || b === undefined || a.nth === b.nth || a.version < b.version) return;
    this.#world.violate(
      `I4: the later upgrade has VERSION ${b.version} (${b.container}), the earlier one ${a.version} (${a.container})`,
    );
  }
}

function versionOf(container: string, { metadata }: Pod): bigint {
  return BigInt(metadata.annotations?.[VERSION_ANNOTATION_PREFIX + container] ?? "0");
}
