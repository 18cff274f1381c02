// SPDX-License-Identifier: Apache-2.0
import type { Container, Pod } from "@hot/spec";
import { fateOf, isEmptyImage } from "./images.ts";
import type { Machine } from "./machine.ts";
import { statusOf } from "./pod-status.ts";
import { isNewer, type Process } from "./process.ts";
import type { Owner } from "./scheduler.ts";
import type { World } from "./world.ts";

/** After this much running a kubelet that starts takes a container's readiness as it was. */
const LEFT_OVER_AFTER = 10_000;
const BACK_OFF = 10_000;
const MAX_BACK_OFF = 300_000;
const MEMORY = 600_000;

/** What kubelets remember of a pod across restarts, and what kind they are. */
export interface Node {
  /** Before Kubernetes 1.34 no generation is reported. */
  readonly isOld: boolean;
  /** Nothing can be pulled. */
  readonly registryDown: () => boolean;
  /** Hot containers have a postStart hook that waits for the takeover. */
  readonly hasHook: boolean;
  /** Starts by container and image, for the back-off. */
  readonly starts: Map<string, number[]>;
}

/**
 * The kubelet of one pod, as measured: one thing at a time; the status is taken at the start of a sync, before any
 * container is touched; while a postStart hook runs nothing is read and nothing is reported.
 */
export class Kubelet implements Owner {
  dead = false;
  frozenUntil = 0;
  readonly #world: World;
  readonly #machine: Machine;
  readonly #node: Node;
  #dirty = false;
  #busy = false;
  #inHook = false;
  /** As the last sync has read it: of no later one is anything reported. */
  #seen: Pod | undefined;
  #status: Pod["status"];
  #sending = false;
  readonly #retries = new Map<string, { image: string; at: number }>();
  /** Readiness that no probe of this kubelet has confirmed. */
  readonly #leftOver = new Set<Process>();

  constructor(world: World, machine: Machine, node: Node) {
    this.#world = world;
    this.#machine = machine;
    this.#node = node;
    machine.onChange = (process) => this.#changed(process);
  }

  get isInHook(): boolean {
    return this.#inHook;
  }

  /** What it has reported, or is about to report, of a container is left over from the instance before. */
  get isBehind(): boolean {
    return this.#leftOver.size > 0 || this.#sending;
  }

  /** After a restart: what runs is taken over, and a hook that was cut is never run again. */
  resume(): void {
    const { random, scheduler } = this.#world;
    const wasReady = this.#pod()?.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
    for (const process of this.#machine.processes.values()) {
      process.ready = wasReady && process.state === "running" && scheduler.now - process.startedAt > LEFT_OVER_AFTER;
      if (process.ready) this.#leftOver.add(process);
      this.#later(process.ready ? random.int(20_000, 33_000) : random.int(20, 1_000), () => {
        this.#leftOver.delete(process);
        this.#probe(process);
      });
    }
    this.poke();
  }

  /** The pod or something in it has changed. */
  poke(): void {
    this.#dirty = true;
    if (!this.#busy) void this.#work();
  }

  #pod(): Pod | undefined {
    const pod = this.#world.server.pod(this.#machine.key);
    return pod?.metadata.uid === this.#machine.uid ? pod : undefined;
  }

  #later(ms: number, run: () => void): void {
    this.#world.scheduler.after(ms, this, run);
  }

  #sleep(least: number, most: number): Promise<void> {
    return this.#world.scheduler.sleep(this.#world.random.int(least, most), this);
  }

  async #work(): Promise<void> {
    this.#busy = true;
    while (this.#dirty && !this.dead) {
      this.#dirty = false;
      await this.#sleep(5, this.#world.random.chance(0.1) ? 1_500 : 50);
      const pod = this.#pod();
      if (pod === undefined) break;
      await this.#sync(pod);
    }
    this.#busy = false;
  }

  async #sync(pod: Pod): Promise<void> {
    this.#seen = pod;
    this.#take(pod);
    for (const container of pod.spec.containers) {
      const process = this.#machine.of(container.name);
      const { image = "" } = container;
      if (process.image === image && process.state === "running") continue;
      if (process.state === "running") {
        await this.#sleep(10, 40);
        this.#machine.stop(process);
        await this.#sleep(1, this.#world.random.chance(0.1) ? 2_000 : 50);
      }
      if (!this.#isDue(process, image)) continue;
      this.#dirty = true;
      await this.#start(container, pod, process);
    }
  }

  /** The first restart of a container with its image comes at once, later ones after a while; another image at once. */
  #isDue(process: Process, image: string): boolean {
    const { scheduler } = this.#world;
    const { container } = process;
    const retry = this.#retries.get(container);
    if (retry !== undefined && retry.image === image) return scheduler.now >= retry.at;
    this.#retries.delete(container);
    const starts = this.#startsOf(container, image).length;
    if (starts < 2) return true;
    const state = "CrashLoopBackOff";
    if (process.image === image) process.state = state;
    else this.#machine.fail(container, image, state);
    this.#dirty = true;
    this.#retry(container, image, BACK_OFF * 2 ** (starts - 2));
    return false;
  }

  #retry(container: string, image: string, ms: number): void {
    const wait = Math.min(ms, MAX_BACK_OFF);
    this.#retries.set(container, { image, at: this.#world.scheduler.now + wait });
    this.#later(wait + 1, () => this.poke());
  }

  async #start({ name, image = "" }: Container, pod: Pod, before: Process): Promise<void> {
    const { random, scheduler } = this.#world;
    await this.#sleep(50, random.chance(0.2) ? 3_000 : 300);
    if (fateOf(image) === "nopull" || (this.#node.registryDown() && !isEmptyImage(image))) {
      this.#machine.fail(name, image, "ErrImagePull");
      this.#retry(name, image, BACK_OFF);
      return;
    }
    this.#retries.delete(name);
    this.#startsOf(name, image).push(scheduler.now);
    const process = this.#machine.start(name, image, pod);
    const { startupProbe } = pod.spec.containers.find((one) => one.name === name) ?? {};
    if (startupProbe !== undefined && before.ready) this.#takeAsBefore(process);
    if (await this.#hook(process)) {
      // Its first report comes before its first probe.
      this.#take(pod);
    }
    for (const one of this.#machine.processes.values()) this.#probeSoon(one);
  }

  #startsOf(name: string, image: string): number[] {
    const { starts } = this.#node;
    const key = `${name} ${image}`;
    const recent = (starts.get(key) ?? []).filter((at) => this.#world.scheduler.now - at < MEMORY);
    starts.set(key, recent);
    return recent;
  }

  /** With only a startupProbe the new instance is first reported as the one before it was. */
  #takeAsBefore(process: Process): void {
    process.ready = true;
    this.#leftOver.add(process);
    this.#later(500, () => {
      this.#leftOver.delete(process);
      this.#probe(process);
    });
  }

  /** The postStart hook of a hot container waits for the takeover, and bounds itself. Whether it succeeded. */
  async #hook(process: Process): Promise<boolean> {
    const { random, scheduler } = this.#world;
    const isHot = this.#machine.socketsOf(process.container) !== undefined && !isEmptyImage(process.image);
    if (!isHot || !this.#node.hasHook) return true;
    this.#inHook = true;
    const isBad = fateOf(process.image) === "badhook";
    const until = scheduler.now + (isBad ? 0 : random.pick([15_000, 45_000, 90_000]));
    while (process.state === "running" && isNewer(process) && !process.took && scheduler.now < until) {
      await this.#sleep(20, 200);
    }
    if (isBad) await this.#sleep(50, 2_000);
    this.#inHook = false;
    const failed = isBad || (process.state === "running" && isNewer(process) && !process.took);
    if (!failed) return process.state === "running";
    this.#machine.stop(process, true);
    this.#machine.fail(process.container, process.image, "PostStartHookError");
    this.#retry(process.container, process.image, BACK_OFF);
    return false;
  }

  #changed(process: Process): void {
    if (process.state !== "running") {
      process.ready = false;
      this.#later(this.#world.random.int(50, 1_000), () => this.poke());
    } else this.#probeSoon(process);
  }

  #probeSoon(process: Process): void {
    this.#later(this.#world.random.int(20, 60), () => this.#probe(process));
  }

  /** A success counts at once; a failure only when it has lasted. */
  #probe(process: Process, isSure = false): void {
    if (this.#machine.of(process.container) !== process || process.state !== "running") return;
    // In a hook nothing is probed either; what is left over counts until its time is over.
    if (this.#inHook || this.#leftOver.has(process)) return;
    const answer = this.#machine.probe(process);
    const { startupProbe } = this.#pod()?.spec.containers.find((one) => one.name === process.container) ?? {};
    const isUp = startupProbe === undefined || process.took || answer;
    if (process.ready === answer && process.started === isUp) return;
    if (!answer && process.ready && !isSure && startupProbe === undefined) {
      this.#later(this.#world.random.int(1_000, 30_000), () => this.#probe(process, true));
      return;
    }
    process.ready = answer;
    process.started = isUp;
    if (this.#seen !== undefined) this.#take(this.#seen);
  }

  /** Takes the status as it is now; it is sent a little later. */
  #take(pod: Pod): void {
    this.#status = statusOf(this.#world, pod, this.#machine, this.#node.isOld, this.#status);
    if (this.#sending) return;
    this.#sending = true;
    this.#later(this.#world.random.int(10, this.#world.random.chance(0.1) ? 2_000 : 40), () => this.#send());
  }

  #send(): void {
    this.#sending = false;
    const pod = this.#pod();
    if (pod === undefined || this.#status === undefined) return;
    // A sync that is in a hook reports nothing new of containers; what was taken before it is sent.
    const own = new Set(this.#status.conditions?.map(({ type }) => type));
    const others = pod.status?.conditions?.filter(({ type }) => !own.has(type)) ?? [];
    const status = { ...this.#status, conditions: [...(this.#status.conditions ?? []), ...others] };
    this.#world.server.put("pods", this.#machine.key, { ...pod, status }, true);
  }
}
