// SPDX-License-Identifier: Apache-2.0

export interface Subscribers<E> {
  add(listener: (event: E) => void): Disposable;
  /** Each listener hears every event in order; one that throws does not silence the others. */
  tell(events: readonly E[]): void;
}

export function createSubscribers<E>(onError: (error: unknown) => void): Subscribers<E> {
  // Wrapped, so that one function may subscribe twice and dispose once.
  const listeners = new Set<{ hear: (event: E) => void }>();
  return {
    add: (hear) => {
      const listener = { hear };
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    tell: (events) => {
      for (const event of events) {
        for (const { hear } of listeners) {
          try {
            hear(event);
          } catch (error) {
            onError(error);
          }
        }
      }
    },
  };
}
