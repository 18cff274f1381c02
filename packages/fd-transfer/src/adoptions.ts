// SPDX-License-Identifier: Apache-2.0
import type { PackedConnection } from "./movable.ts";

/** At one time, so that whatever else has come in the meantime is served in between. */
const SLICE_MS = 1;
/** While new connections keep coming, adopting takes at most one part in so many of the time. */
const SHARE = 16;
/** So long after two have connected others are expected; one alone may be this process' own probe. */
const RECENT_MS = 50;
/** Between two batches. */
const LONGEST_REST_MS = 100;
/** In all, of batches that follow each other: whoever passes connections on may have a deadline. */
const MOST_REST_MS = 2_000;
/** What the first batch is expected to take; the code runs for the first time then. */
const FIRST_MS = 2;

export interface AdoptionsHost {
  /** One was taken that nobody reads so far. */
  expect(): void;
  /** It is read from now on, or was closed. */
  adopt(packed: PackedConnection): void;
  /** All that were taken are read. */
  done(): void;
}

/**
 * Connections that this process has taken and begins to read: a few in each turn of the event loop. While others connect
 * anew, it asks whoever passes them on to rest between two batches: what rests there is still served, and what has been
 * taken is read soon.
 */
export class Adoptions {
  readonly #host: AdoptionsHost;
  readonly #queue: PackedConnection[] = [];
  #next: NodeJS.Immediate | undefined;
  #adopting = false;
  #lastCame = -Infinity;
  #cameBefore = -Infinity;
  /** What the last batch took. */
  #tookMs = FIRST_MS;
  /** Asked for in all, and until when it lasts. */
  #restedMs = 0;
  #restUntil = -Infinity;

  constructor(host: AdoptionsHost) {
    this.#host = host;
  }

  /** Some that were taken are not read yet. */
  get busy(): boolean {
    return this.#queue.length > 0;
  }

  /** They are this process' own from now on, whatever becomes of it. */
  take(packed: readonly PackedConnection[]): void {
    for (const one of packed) {
      this.#host.expect();
      this.#queue.push(one);
    }
    if (!this.busy || this.#next !== undefined) return;
    this.#tookMs = 0;
    this.#goOn();
  }

  /** How long the process that passes connections on should rest before the next batch. */
  restMs(): number {
    const now = performance.now();
    if (now - this.#restUntil > MOST_REST_MS) this.#restedMs = 0;
    const wanted = now - this.#cameBefore < RECENT_MS ? Math.ceil(this.#tookMs * (SHARE - 1)) : 0;
    const rest = Math.min(wanted, LONGEST_REST_MS, MOST_REST_MS - this.#restedMs);
    this.#restedMs += rest;
    this.#restUntil = now + rest;
    return rest;
  }

  /** A server has a connection, new or adopted. */
  came(): void {
    if (this.#adopting) return;
    this.#cameBefore = this.#lastCame;
    this.#lastCame = performance.now();
  }

  /** There is no time left to be polite. */
  finish(): void {
    clearImmediate(this.#next);
    this.#next = undefined;
    this.#slice(Infinity);
  }

  #goOn(): void {
    this.#next = setImmediate(() => {
      this.#next = undefined;
      this.#slice(SLICE_MS);
      if (this.busy) this.#goOn();
      else this.#host.done();
    });
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
    this.#tookMs += took;
  }
}
