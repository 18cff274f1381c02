// SPDX-License-Identifier: Apache-2.0
import { sleep, type Clock } from "./clock.ts";
import { LONGEST_REST_MS, restAfterEvent } from "./event-rest.ts";

/** One event that waits. */
export interface EventWrite {
  /** Must not reject. */
  write(): Promise<void>;
  /** Called instead, when there is no room for it any more. */
  dropped(): void;
}

/** Writes of events, one after the other; warnings go before normal events that wait, and have room of their own. */
export interface EventQueue {
  add(type: "Normal" | "Warning", event: EventWrite): void;
  /** Resolves when nothing waits any more; until then nothing gives way. */
  drain(): Promise<void>;
}

export interface EventQueueOptions {
  /** Of each type may wait so many; the oldest is dropped for one more. */
  readonly most: number;
  readonly clock: Clock;
  /** Whether normal events are to give way. */
  readonly isBusy: () => boolean;
}

export function createEventQueue({ most, clock, isBusy }: EventQueueOptions): EventQueue {
  const waiting = { Warning: new Set<EventWrite>(), Normal: new Set<EventWrite>() };
  let running: Promise<void> | undefined;
  let draining = false;
  /** The next normal event waits until then, or until a rest is over for another reason. */
  let restUntil = Number.NEGATIVE_INFINITY;
  let rest = new AbortController();

  const endRest = (): void => {
    rest.abort();
    rest = new AbortController();
  };

  const run = async (): Promise<void> => {
    for (;;) {
      const queue = waiting.Warning.size > 0 ? waiting.Warning : waiting.Normal;
      const [one] = queue;
      if (one === undefined) break;
      const pause = queue === waiting.Warning || draining ? 0 : restUntil - clock.now();
      // More is left only where the clock was set back.
      if (pause > 0 && pause <= LONGEST_REST_MS) {
        await sleep(clock, pause, rest.signal);
        continue;
      }
      queue.delete(one);
      const begunAt = clock.now();
      await one.write();
      restUntil = clock.now() + restAfterEvent(isBusy(), clock.now() - begunAt);
    }
    running = undefined;
    draining = false;
  };

  return {
    add: (type, event) => {
      const [oldest] = waiting[type];
      if (waiting[type].size >= most && oldest !== undefined) {
        waiting[type].delete(oldest);
        oldest.dropped();
      }
      waiting[type].add(event);
      if (type === "Warning") endRest();
      running ??= Promise.resolve().then(run);
    },
    drain: () => {
      if (running === undefined) return Promise.resolve();
      draining = true;
      endRest();
      return running;
    },
  };
}
