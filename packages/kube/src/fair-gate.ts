// SPDX-License-Identifier: Apache-2.0
import type { Clock } from "./clock.ts";
import { firstPace, LONGEST_PAUSE_MS, paceAfter, type Answered, type PaceBounds } from "./write-pace.ts";

export interface FairGateOptions extends PaceBounds {
  readonly clock: Clock;
  readonly metrics?: FairGateMetrics;
}

/** Told what happens, for metrics. */
export interface FairGateMetrics {
  /** Tasks that may run at once from now on. */
  limit?(limit: number): void;
  /** A task runs after it had waited this long. */
  entered?(waitedMs: number): void;
  /** The limit was lowered, or everything stopped for a while: an overload, or slow answers. */
  slowed?(cause: "overload" | "latency"): void;
}

/**
 * Runs tasks that write, as many at once as the server takes. Those of one key run in the order of asking, and the keys
 * take turns: however many tasks one has waiting, the task of another key waits for one of each.
 */
export interface FairGate {
  /** Resolves when the task has ended, rejects as it does; once the signal is aborted, a task that waits is dropped. */
  run(key: string, signal: AbortSignal, task: () => Promise<void>): Promise<void>;
  /** Learns from one answer of the server. */
  answered(answer: Pick<Answered, "sentAt" | "overload">): void;
  readonly limit: number;
  /** Whether any task runs or waits. */
  readonly busy: boolean;
}

interface Waiting {
  readonly since: number;
  enter(): void;
}

export function createFairGate({ clock, metrics = {}, ...bounds }: FairGateOptions): FairGate {
  let pace = firstPace(bounds);
  let running = 0;
  /** In the order of turns. */
  const queues = new Map<string, Set<Waiting>>();
  let timer: Disposable | undefined;
  metrics.limit?.(pace.limit);

  const next = (): Waiting | undefined => {
    const [first] = queues;
    if (first === undefined) return undefined;
    const [key, queue] = first;
    const [one] = queue;
    queues.delete(key);
    if (one !== undefined) queue.delete(one);
    if (queue.size > 0) queues.set(key, queue);
    return one;
  };

  const advance = (): void => {
    const pause = pace.pausedUntil - clock.now();
    // More is left only where the clock was set back.
    if (pause > 0 && pause <= LONGEST_PAUSE_MS) {
      if (queues.size === 0) return;
      timer ??= clock.after(pause, () => {
        timer = undefined;
        advance();
      });
      return;
    }
    while (running < pace.limit) {
      const one = next();
      if (one === undefined) return;
      running++;
      metrics.entered?.(clock.now() - one.since);
      one.enter();
    }
  };

  const wait = (key: string, signal: AbortSignal): Promise<boolean> =>
    new Promise((resolve) => {
      const queue = queues.get(key) ?? new Set();
      const leave = (): void => {
        queue.delete(one);
        if (queue.size === 0 && queues.get(key) === queue) queues.delete(key);
        if (queues.size === 0) {
          timer?.[Symbol.dispose]();
          timer = undefined;
        }
        resolve(false);
      };
      const one: Waiting = {
        since: clock.now(),
        enter: () => {
          signal.removeEventListener("abort", leave);
          resolve(true);
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      queues.set(key, queue.add(one));
      advance();
    });

  return {
    run: async (key, signal, task) => {
      if (signal.aborted || !(await wait(key, signal))) return;
      try {
        await task();
      } finally {
        running--;
        advance();
      }
    },
    answered: (answer) => {
      const before = pace;
      pace = paceAfter(pace, { ...answer, at: clock.now(), full: running >= pace.limit }, bounds);
      if (answer.overload !== undefined) metrics.slowed?.("overload");
      else if (pace.limit < before.limit) metrics.slowed?.("latency");
      if (pace.limit !== before.limit) metrics.limit?.(pace.limit);
      advance();
    },
    get limit() {
      return pace.limit;
    },
    get busy() {
      return running > 0 || queues.size > 0;
    },
  };
}
