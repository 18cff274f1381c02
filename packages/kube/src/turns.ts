// SPDX-License-Identifier: Apache-2.0
import { systemClock, type Clock } from "./clock.ts";

/** So that long work leaves the event loop to others again and again: probes, leases, admission. */
export interface Turns {
  /**
   * Undefined as long as the turn may go on; afterwards a promise that resolves in the next one. Of several that wait,
   * each gets a turn of its own.
   */
  pause(): Promise<void> | undefined;
}

/** Longest turn, in milliseconds. */
const TURN_MS = 2;

/**
 * A turn begins with the first question. To be asked between two pieces of work that take far less than a millisecond
 * each. Whatever may change while others have their turn has to be read again after a pause.
 *
 * @param clock - one that stands still during work never asks for a pause
 *
 * @example
 * const turns = takeTurns();
 * for (const key of keys) {
 *   const pause = turns.pause();
 *   if (pause !== undefined) await pause;
 *   look(store.get(key));
 * }
 */
export function takeTurns(clock: Pick<Clock, "now"> = systemClock): Turns {
  /** Undefined when nothing was asked in this turn of the event loop. */
  let began: number | undefined;
  let waiting: Promise<void> = Promise.resolve();
  const end = (): void => {
    began = undefined;
  };
  const nextTurn = (): Promise<void> =>
    new Promise((resolve) => {
      setImmediate(() => {
        end();
        resolve();
      });
    });
  return {
    pause: () => {
      if (began === undefined) {
        began = clock.now();
        setImmediate(end);
        return undefined;
      }
      if (clock.now() - began < TURN_MS) return undefined;
      waiting = waiting.then(() => nextTurn());
      return waiting;
    },
  };
}
