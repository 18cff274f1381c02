// SPDX-License-Identifier: Apache-2.0
import { systemClock, type Clock } from "./clock.ts";
import { perKeyBackoff, slowestOf, tokenBucket, type RateLimiter } from "./rate-limit.ts";

export interface WorkQueueOptions<K> {
  clock?: Clock;
  random?: () => number;
  /** For `addRateLimited`; default: 100 ms doubling to 30 s for each key, and 20 per second in all with bursts of 100. */
  rateLimiter?: RateLimiter<K>;
  metrics?: WorkQueueMetrics;
}

/** Told what happens, for metrics. */
export interface WorkQueueMetrics {
  /** Keys that wait to be taken. */
  depth?(depth: number): void;
  added?(): void;
  /** A key was taken after it had waited this long. */
  taken?(waitedMs: number): void;
  retried?(): void;
}

/**
 * Keys to be worked on. A key waits at most once, and is never worked on twice at a time: added during its work, it
 * comes again after `done`. Keys are compared like those of a `Map`, so they are strings or numbers.
 */
export interface WorkQueue<K> {
  add(key: K): void;
  /** Adds after `ms` milliseconds; of several times for one key the earliest counts. */
  addAfter(key: K, ms: number): void;
  /** Adds after the rate limiter's delay: for work that has failed. */
  addRateLimited(key: K): void;
  /** The work has succeeded: the next failure counts as the first. */
  forget(key: K): void;
  /** How often the key has been rate limited since it was last forgotten. */
  attempts(key: K): number;
  /** The next key, in the order of adding; waits for one; undefined after `shutDown`. Call `done` with it afterwards. */
  get(): Promise<K | undefined>;
  done(key: K): void;
  /** Keys that wait are dropped, and every `get` gives undefined. What is being worked on goes on. */
  shutDown(): void;
  readonly depth: number;
}

export function createWorkQueue<K extends string | number>(options: WorkQueueOptions<K> = {}): WorkQueue<K> {
  const { clock = systemClock, random = Math.random, metrics = {} } = options;
  const limiter =
    options.rateLimiter ??
    slowestOf<K>(
      perKeyBackoff({ baseMs: 100, maxMs: 30_000 }, random),
      tokenBucket({ perSecond: 20, burst: 100 }, clock),
    );
  /** Key → when it was added; in the order of adding. */
  const waiting = new Map<K, number>();
  const working = new Set<K>();
  /** Added during their work. */
  const again = new Set<K>();
  const later = new Map<K, { at: number; timer: Disposable }>();
  const getters: ((key: K | undefined) => void)[] = [];
  let isDown = false;

  const take = (key: K, addedAt: number): K => {
    working.add(key);
    metrics.taken?.(clock.now() - addedAt);
    return key;
  };

  const enqueue = (key: K): void => {
    const getter = getters.shift();
    if (getter) return getter(take(key, clock.now()));
    waiting.set(key, clock.now());
    metrics.depth?.(waiting.size);
  };

  const add = (key: K): void => {
    if (isDown || waiting.has(key) || again.has(key)) return;
    metrics.added?.();
    if (working.has(key)) again.add(key);
    else enqueue(key);
  };

  const addAfter = (key: K, ms: number): void => {
    if (isDown) return;
    if (!(ms > 0)) return add(key);
    const now = clock.now();
    const at = now + ms;
    const planned = later.get(key);
    if (planned && planned.at > now && planned.at <= at) return;
    planned?.timer[Symbol.dispose]();
    // The clock was set forward, and timers go by another one.
    if (planned && planned.at <= now) {
      later.delete(key);
      return add(key);
    }
    const timer = clock.after(ms, () => {
      later.delete(key);
      add(key);
    });
    later.set(key, { at, timer });
  };

  return {
    add,
    addAfter,
    addRateLimited: (key) => {
      if (isDown) return;
      metrics.retried?.();
      addAfter(key, limiter.next(key));
    },
    forget: (key) => limiter.forget(key),
    attempts: (key) => limiter.attempts(key),
    async get() {
      if (isDown) return undefined;
      const first = waiting.entries().next();
      if (first.done) return new Promise((resolve) => getters.push(resolve));
      const [key, addedAt] = first.value;
      waiting.delete(key);
      metrics.depth?.(waiting.size);
      return take(key, addedAt);
    },
    done: (key) => {
      working.delete(key);
      if (again.delete(key) && !isDown) enqueue(key);
    },
    shutDown: () => {
      isDown = true;
      for (const { timer } of later.values()) timer[Symbol.dispose]();
      later.clear();
      waiting.clear();
      again.clear();
      metrics.depth?.(0);
      for (const getter of getters.splice(0)) getter(undefined);
    },
    get depth() {
      return waiting.size;
    },
  };
}
