// SPDX-License-Identifier: Apache-2.0
import type { Clock } from "../clock.ts";

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /**
   * Moves time on and calls what is due, in order of its time. Promises that follow from a call settle before the next
   * one, so a chain of waits within `ms` runs to its end.
   */
  advance(ms: number): Promise<void>;
  /** How many calls are waiting. */
  readonly pending: number;
}

/** `start` in ms since the epoch. */
export function createFakeClock(start = Date.UTC(2030, 0, 1)): FakeClock {
  let now = start;
  let sequence = 0;
  const timers = new Set<{ at: number; order: number; fn: () => void }>();
  const nextUntil = (end: number) =>
    [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at || a.order - b.order)[0];
  // A turn of the event loop runs every promise reaction there is.
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  return {
    now: () => now,
    after: (ms, fn) => {
      const timer = { at: now + Math.max(0, ms), order: sequence++, fn };
      timers.add(timer);
      return { [Symbol.dispose]: () => void timers.delete(timer) };
    },
    async advance(ms) {
      const end = now + ms;
      await settle();
      for (let next = nextUntil(end); next !== undefined; next = nextUntil(end)) {
        timers.delete(next);
        now = next.at;
        next.fn();
        await settle();
      }
      now = end;
    },
    get pending() {
      return timers.size;
    },
  };
}
