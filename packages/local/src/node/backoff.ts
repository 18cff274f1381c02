// SPDX-License-Identifier: Apache-2.0

interface Entry {
  delay: number;
  updatedAt: number;
}

/** An entry counts as forgotten when it was quiet for this many maximum delays (2 × 300 s = 10 minutes). */
const QUIET_FACTOR = 2;

/**
 * The kubelet's back-off: one delay per key, doubling from `base` to `max` (ms). It is asked with the moment of the last
 * failure, so a container that ran for longer than the delay is not held back, and one that ran for ten minutes starts
 * anew. Time is an argument: the object decides nothing by itself.
 */
export class Backoff {
  readonly #base: number;
  readonly #max: number;
  readonly #entries = new Map<string, Entry>();

  constructor(options: { base: number; max: number }) {
    this.#base = options.base;
    this.#max = options.max;
  }

  /** Milliseconds from `now` until `key` may run again after its failure at `since`; 0 = it may run. */
  remaining(key: string, since: number, now: number): number {
    const entry = this.#live(key, since);
    return entry === undefined ? 0 : Math.max(0, since + entry.delay - now);
  }

  /** As `remaining`, counted from the last `next`. */
  remainingSinceUpdate(key: string, now: number): number {
    const entry = this.#live(key, now);
    return entry === undefined ? 0 : Math.max(0, entry.updatedAt + entry.delay - now);
  }

  /** The delay that holds for `key` now, in ms. */
  delay(key: string): number {
    return this.#entries.get(key)?.delay ?? 0;
  }

  /** `key` runs (again) after its failure at `since`: the next failure waits twice as long as this one. */
  next(key: string, since: number, now: number): void {
    const entry = this.#live(key, since);
    const delay = entry === undefined ? this.#base : Math.min(entry.delay * 2, this.#max);
    this.#entries.set(key, { delay, updatedAt: now });
  }

  /** Forgets all keys that start with `prefix` (a pod that is gone). */
  forget(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key);
  }

  #live(key: string, since: number): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && since - entry.updatedAt <= QUIET_FACTOR * this.#max ? entry : undefined;
  }
}
