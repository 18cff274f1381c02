// SPDX-License-Identifier: Apache-2.0

/** Writes of events, one after the other. */
export interface EventQueue {
  /**
   * Warnings go before normal events that wait, and have room of their own. False when there is none left: then it will
   * not be written.
   */
  add(type: "Normal" | "Warning", write: () => Promise<void>): boolean;
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>;
}

/** @param most - of each type may wait so many */
export function createEventQueue(most: number): EventQueue {
  const waiting = { Warning: new Set<() => Promise<void>>(), Normal: new Set<() => Promise<void>>() };
  let running: Promise<void> | undefined;

  const run = async (): Promise<void> => {
    for (;;) {
      const queue = waiting.Warning.size > 0 ? waiting.Warning : waiting.Normal;
      const [write] = queue;
      if (write === undefined) break;
      queue.delete(write);
      await write();
    }
    running = undefined;
  };

  return {
    add: (type, write) => {
      if (waiting[type].size >= most) return false;
      waiting[type].add(write);
      running ??= Promise.resolve().then(run);
      return true;
    },
    idle: () => running ?? Promise.resolve(),
  };
}
