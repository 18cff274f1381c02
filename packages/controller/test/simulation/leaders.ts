// SPDX-License-Identifier: Apache-2.0
import { Replica, type Inspect } from "./replica.ts";
import { NATURE } from "./scheduler.ts";
import type { World } from "./world.ts";

/** A lease is free this long after its holder was last heard; the holder gives up some time before. */
const LEASE = 15_000;
const RENEW_DEADLINE = 10_000;

/** Who leads: one replica at a time, however it ends. Each leader is a new process with nothing in its memory. */
export class Leaders {
  current: Replica | undefined;
  /** Until this time two replicas may hold themselves for the leader. */
  doubtUntil = 0;
  readonly #world: World;
  readonly #hasHistory: boolean;
  readonly #inspect: Inspect;
  readonly #all: Replica[] = [];

  constructor(world: World, hasHistory: boolean, inspect: Inspect) {
    this.#world = world;
    this.#hasHistory = hasHistory;
    this.#inspect = inspect;
  }

  start(): void {
    const name = `controller-${this.#all.length + 1}`;
    this.current = new Replica(this.#world, name, this.#hasHistory, this.#inspect);
    this.#all.push(this.current);
    this.current.start();
  }

  /** SIGKILL, up to `RENEW_DEADLINE` after its last renewal. A restart of the same pod waits for the lease as others do. */
  crash(replica: Replica): void {
    if (replica.dead) return;
    replica.kill();
    this.#next(replica, this.#world.random.int(LEASE - RENEW_DEADLINE, 20_000));
  }

  /** SIGTERM: it finishes its writes and gives the lease back. */
  stop(replica: Replica): void {
    if (replica.dead || this.current !== replica) return;
    const ended = replica.stop();
    void ended.then(() => this.#next(replica, this.#world.random.int(10, 3_000)));
  }

  /** The process stands still; when it wakes up, it does not know yet that another one leads. */
  freeze(replica: Replica, ms: number, isDeluded: boolean): void {
    const { random, scheduler } = this.#world;
    if (replica.dead || replica.frozenUntil > scheduler.now || this.current !== replica) return;
    this.#world.note(() => `${replica.name}: frozen for ${ms} ms${isDeluded ? ", deluded" : ""}`);
    replica.frozenUntil = scheduler.now + ms;
    // A lease that has run out already is not renewed by standing still once more.
    if (ms < RENEW_DEADLINE || replica.leaseUntil < Infinity) return;
    replica.leaseUntil = scheduler.now + RENEW_DEADLINE;
    replica.isDeluded = isDeluded;
    const told = ms + random.int(0, 10_000);
    if (isDeluded) this.doubtUntil = Math.max(this.doubtUntil, scheduler.now + told + 60_000);
    this.#replace(replica, random.int(LEASE, 20_000));
    scheduler.after(told, NATURE, () => {
      if (replica.dead) return;
      replica.isDeluded = false;
      void replica.stop(true);
    });
  }

  end(): void {
    for (const one of this.#all) one.dead = true;
  }

  /** Nobody leads meanwhile. */
  #next(ended: Replica, ms: number): void {
    if (this.current !== ended) return;
    this.current = undefined;
    this.#replace(undefined, ms);
  }

  #replace(before: Replica | undefined, ms: number): void {
    this.#world.scheduler.after(ms, NATURE, () => {
      if (this.current === before) this.start();
    });
  }
}
