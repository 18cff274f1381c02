// SPDX-License-Identifier: Apache-2.0
import type { PackedConnection } from "./movable.ts";

/** At one time, so that whatever else has come in the meantime is served in between. */
const SLICE_MS = 1;
/** While new connections keep coming, adopting takes at most one part in so many of the time. */
const SHARE = 4;
/** So long after somebody has connected others are expected. */
const RECENT_MS = 50;
/** In all, of batches that follow each other: whoever passes connections on may have a deadline. */
const MOST_REST_MS = 1_000;

export interface AdoptionsHost {
  /** One was taken that nobody reads so far. */
  expect(): void;
  /** It is read from now on, or was closed. */
  adopt(packed: PackedConnection): void;
  /** All that were taken are read. */
  done(): void;
}

/**
 * Connections that this process has taken and begins to read: a few in each turn of the event loop, and with pauses
 * while others connect anew. libuv accepts one of those in each turn, so a batch of adoptions would be in front of each;
 * and the process that passes connections on, which waits for the end of a batch, rests as well.
 */
export class Adoptions {
  readonly #host: AdoptionsHost;
  readonly #queue: PackedConnection[] = [];
  #stop: (() => void) | null = null;
  #adopting = false;
  #lastCame = -Infinity;
  #restUntil = -Infinity;
  /** When the first of those batches came. */
  #since = -Infinity;

  constructor(host: AdoptionsHost) {
    this.#host = host;
  }

  /** Some that were taken are not read yet. */
  get busy(): boolean {
    return this.#queue.length > 0;
  }

  /** They are this process' own from now on, whatever becomes of it. */
  take(packed: readonly PackedConnection[]): void {
    const now = performance.now();
    if (now - this.#restUntil > MOST_REST_MS) this.#since = now;
    for (const one of packed) {
      this.#host.expect();
      this.#queue.push(one);
    }
    if (this.busy && this.#stop === null) this.#goOn();
  }

  /** A server has a connection, new or adopted. */
  came(): void {
    if (!this.#adopting) this.#lastCame = performance.now();
  }

  /** There is no time left to be polite. */
  finish(): void {
    this.#stop?.();
    this.#stop = null;
    this.#slice(Infinity);
  }

  #goOn(): void {
    const now = performance.now();
    const rest = Math.min(this.#restUntil, this.#since + MOST_REST_MS) - now;
    if (rest > 0 && now - this.#lastCame < RECENT_MS) {
      const timer = setTimeout(() => this.#go(), rest);
      this.#stop = () => clearTimeout(timer);
    } else {
      const immediate = setImmediate(() => this.#go());
      this.#stop = () => clearImmediate(immediate);
    }
  }

  #go(): void {
    this.#stop = null;
    this.#slice(SLICE_MS);
    if (this.busy) this.#goOn();
    else this.#host.done();
  }

  #slice(ms: number): void {
    const begun = performance.now();
    let took = 0;
    this.#adopting = true;
    for (let next = this.#queue.shift(); next !== undefined; next = took < ms ? this.#queue.shift() : undefined) {
      this.#host.adopt(next);
      took = performance.now() - begun;
    }
    this.#adopting = false;
    this.#restUntil = begun + took * SHARE;
  }
}
