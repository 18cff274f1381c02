// SPDX-License-Identifier: Apache-2.0
import { backoffMs, type BackoffLimits } from "./backoff.ts";
import type { Clock } from "./clock.ts";

/** Says how long a key has to wait before its next attempt. */
export interface RateLimiter<K> {
  /** Counts one more attempt, and returns the milliseconds to wait before it. */
  next(key: K): number;
  /** The key has succeeded: its next failure counts as the first. */
  forget(key: K): void;
  /** Attempts since the key was last forgotten. */
  attempts(key: K): number;
}

/** Each key for itself: the delay doubles with every attempt, with jitter. */
export function perKeyBackoff<K>(limits: BackoffLimits, random: () => number = Math.random): RateLimiter<K> {
  const counts = new Map<K, number>();
  return {
    next: (key) => {
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return backoffMs(limits, count, random);
    },
    forget: (key) => void counts.delete(key),
    attempts: (key) => counts.get(key) ?? 0,
  };
}

export interface BucketLimits {
  /** Tokens that come back each second. */
  perSecond: number;
  /** Tokens of a full bucket. */
  burst: number;
}

/** All keys together: at most `burst` at once and `perSecond` in the long run; later ones wait in line. */
export function tokenBucket(limits: BucketLimits, clock: Pick<Clock, "now">): RateLimiter<unknown> {
  let tokens = limits.burst;
  let at = clock.now();
  return {
    next: () => {
      const now = clock.now();
      tokens = Math.min(limits.burst, tokens + (Math.max(0, now - at) / 1000) * limits.perSecond) - 1;
      at = now;
      return tokens >= 0 ? 0 : (-tokens / limits.perSecond) * 1000;
    },
    forget: () => undefined,
    attempts: () => 0,
  };
}

/** The longest of several delays; each of them counts the attempt. */
export function slowestOf<K>(...limiters: readonly RateLimiter<K>[]): RateLimiter<K> {
  return {
    next: (key) => Math.max(0, ...limiters.map((limiter) => limiter.next(key))),
    forget: (key) => limiters.forEach((limiter) => limiter.forget(key)),
    attempts: (key) => Math.max(0, ...limiters.map((limiter) => limiter.attempts(key))),
  };
}
