// SPDX-License-Identifier: Apache-2.0

/** How many new events one object may get: so that nothing that happens to it can flood the API server. */
export interface EventBudget {
  /** Whether there is one left at `now`, in milliseconds; it is used up by asking. */
  take(object: string, now: number): boolean;
}

const BURST = 25;
const REFILL_MS = 30_000;
const MOST_OBJECTS = 1_000;

/** A token bucket for each object, in bounded memory: the object that was quiet the longest is forgotten first. */
export function createEventBudget(): EventBudget {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    take: (object, now) => {
      const { tokens, at } = buckets.get(object) ?? { tokens: BURST, at: now };
      const filled = Math.min(BURST, tokens + Math.max(0, now - at) / REFILL_MS);
      const hasOne = filled >= 1;
      buckets.delete(object);
      buckets.set(object, { tokens: hasOne ? filled - 1 : filled, at: now });
      const [oldest] = buckets.keys();
      if (buckets.size > MOST_OBJECTS && oldest !== undefined) buckets.delete(oldest);
      return hasOne;
    },
  };
}
