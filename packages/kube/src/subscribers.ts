// SPDX-License-Identifier: Apache-2.0
import type { Turns } from "./turns.ts";

export interface Subscribers<E> {
  add(listener: (event: E) => void): Disposable;
  /** Each listener hears every event in order; one that throws does not silence the others. */
  tell(events: readonly E[]): void;
  /** As `tell`, one part after another, and other work gets its turn in between. */
  tellInTurns(parts: Iterable<readonly E[]>, turns: Turns): Promise<void>;
}

export function createSubscribers<E>(onError: (error: unknown) => void): Subscribers<E> {
  // Wrapped, so that one function may subscribe twice and dispose once.
  const listeners = new Set<{ hear: (event: E) => void }>();
  const tell = (events: readonly E[]): void => {
    for (const event of events) {
      for (const { hear } of listeners) {
        try {
          hear(event);
        } catch (error) {
          onError(error);
        }
      }
    }
  };
  return {
    add: (hear) => {
      const listener = { hear };
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    tell,
    tellInTurns: async (parts, turns) => {
      for (const part of parts) {
        const pause = turns.pause();
        if (pause !== undefined) await pause;
        tell(part);
      }
    },
  };
}
