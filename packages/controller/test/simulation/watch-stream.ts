// SPDX-License-Identifier: Apache-2.0
import { ApiError, ConnectionError, type KubeObject, type WatchEvent } from "@hot/kube";
import type { Commit } from "./api-server.ts";
import type { Owner } from "./scheduler.ts";
import type { World } from "./world.ts";

type Event = WatchEvent<KubeObject>;

const BOOKMARK = 60_000;

/** One watch: events come late, and sometimes twice, in another order or never. Whoever lost one is sent away by 410. */
export class WatchStream implements AsyncIterableIterator<Event> {
  readonly plural: string;
  readonly #world: World;
  readonly #owner: Owner;
  readonly #queue: Event[] = [];
  #waiting: { resolve: (result: IteratorResult<Event>) => void; reject: (error: unknown) => void } | undefined;
  #end: { error?: unknown } | undefined;
  /** Nothing is delivered before this time, so that events keep their order. */
  #notBefore = 0;
  /** Events that others have overtaken, and that are still to come. */
  #overtaken = 0;
  #hasLost = false;

  constructor(world: World, owner: Owner, plural: string) {
    this.#world = world;
    this.#owner = owner;
    this.plural = plural;
  }

  /** Going on from the last event that was delivered would miss another one. */
  get isTorn(): boolean {
    return this.#overtaken > 0 || this.#hasLost;
  }

  get isOver(): boolean {
    return this.#end !== undefined || this.#owner.dead;
  }

  start(past: readonly Commit[], seconds: number): void {
    for (const commit of past) this.offer(commit);
    this.#remind();
    this.#later(seconds * 1000, () => (this.isTorn ? this.#expire() : this.#finish({})));
  }

  offer(commit: Commit): void {
    const { random, scheduler, weather } = this.#world;
    if (this.isOver) return;
    if (random.chance(weather.streamCut)) {
      this.#later(random.int(0, 500), () => this.cut());
    }
    // Never sooner than what is under way: no event overtakes another one without being counted.
    if (random.chance(weather.stalled))
      this.#notBefore = Math.max(this.#notBefore, scheduler.now + random.int(1_000, 30_000));
    if (random.chance(weather.lost)) {
      this.#world.note(() => `watch: ${commit.plural} ${commit.key} ${commit.version} is lost`);
      this.#hasLost = true;
      this.#later(random.int(1_000, 40_000), () => this.#expire());
      return;
    }
    const event: Event = { type: commit.type, object: commit.object };
    const at = Math.max(this.#notBefore, scheduler.now + random.int(1, random.chance(0.1) ? 500 : 20));
    if (random.chance(weather.reordered)) {
      this.#overtaken++;
      this.#later(at + random.int(1, 2_000) - scheduler.now, () => {
        // To a stream that has ended it never comes.
        if (this.isOver) return;
        this.#overtaken--;
        this.#push(event);
      });
      return;
    }
    this.#notBefore = at;
    this.#later(at - scheduler.now, () => this.#push(event));
    if (random.chance(weather.doubled)) {
      this.#later(at + random.int(0, 1_000) - scheduler.now, () => this.#push(event));
    }
  }

  /** As a reset of the connection. */
  cut(): void {
    if (this.isTorn) this.#expire();
    else this.#finish({ error: new ConnectionError("watch", "simulation", "KUBE_CUT", "the connection was reset") });
  }

  next(): Promise<IteratorResult<Event>> {
    const event = this.#queue.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#end !== undefined) return this.#ended(this.#end);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<Event>> {
    this.#finish({});
    return Promise.resolve({ done: true, value: undefined });
  }

  /** The request itself has failed. */
  fail(error: unknown): void {
    this.#finish({ error });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #later(ms: number, run: () => void): void {
    this.#world.scheduler.after(ms, this.#owner, run);
  }

  #remind(): void {
    const { scheduler, server } = this.#world;
    this.#later(BOOKMARK, () => {
      if (this.isOver) return;
      const version = String(server.version);
      this.#later(Math.max(1, this.#notBefore - scheduler.now), () => {
        if (this.isTorn) return;
        this.#push({ type: "BOOKMARK", object: { metadata: { resourceVersion: version } } });
      });
      this.#remind();
    });
  }

  #expire(): void {
    this.#finish({ error: new ApiError("watch", 410, { reason: "Expired", message: "too old", code: 410 }) });
  }

  #push(event: Event): void {
    if (this.#end !== undefined) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#queue.push(event);
    else waiting.resolve({ done: false, value: event });
  }

  #finish(end: { error?: unknown }): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    if ("error" in end) waiting.reject(end.error);
    else waiting.resolve({ done: true, value: undefined });
  }

  #ended({ error }: { error?: unknown }): Promise<IteratorResult<Event>> {
    return error === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error);
  }
}
