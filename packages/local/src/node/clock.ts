// SPDX-License-Identifier: Apache-2.0

/** Time as the node agent sees it; tests put their own in. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Calls `run` once after `ms`; the answer cancels it. */
  after: (ms: number, run: () => void) => () => void;
}

/** `setTimeout` fires at once for a delay beyond 2^31 - 1 ms. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, Math.min(ms, LONGEST_TIMEOUT));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`, or as soon as `signal` aborts. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal?.addEventListener("abort", done);
  });
}

/** Kubernetes time: RFC 3339 with whole seconds. */
export function timestamp(ms: number): string {
  return new Date(Math.floor(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
}
