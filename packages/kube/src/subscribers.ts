// SPDX-License-Identifier: Apache-2.0

export interface Subscribers<E> {
  add(listener: (event: E) => void): Disposable;
  /** Each listener hears every event in order; one that throws does not silence the others. */
  tell(events: readonly E[]): void;
  /** As `tell`; of very many events, other work gets its turn in between. */
  tellInTurns(events: readonly E[]): Promise<void>;
}

/** Events that are told in one turn of the event loop. */
const TURN = 200;

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
    tellInTurns: async (events) => {
      for (let at = 0; at < events.length; at += TURN) {
        if (at > 0) await new Promise((resolve) => setImmediate(resolve));
        tell(events.slice(at, at + TURN));
      }
    },
  };
}
