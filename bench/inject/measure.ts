// SPDX-License-Identifier: Apache-2.0

export interface Measured {
  "per second": number;
  "p50 in ms": number;
  "p99 in ms": number;
}

const WARM_UP_MS = 500;
const RUN_MS = 1500;

/** Runs an operation on this thread again and again, first unmeasured. */
export function measure(operation: () => unknown): Measured {
  const until = performance.now() + WARM_UP_MS;
  while (performance.now() < until) operation();
  const samples: number[] = [];
  const start = performance.now();
  let end = start;
  while (end - start < RUN_MS) {
    const before = performance.now();
    operation();
    end = performance.now();
    samples.push(end - before);
  }
  samples.sort((a, b) => a - b);
  const at = (share: number): number => Number((samples[Math.floor(samples.length * share)] ?? 0).toFixed(3));
  return {
    "per second": Math.round((samples.length / (end - start)) * 1000),
    "p50 in ms": at(0.5),
    "p99 in ms": at(0.99),
  };
}
