// SPDX-License-Identifier: Apache-2.0

export interface BackoffLimits {
  /** First delay, in milliseconds. */
  baseMs: number;
  /** No delay is longer. */
  maxMs: number;
}

/**
 * The delay before the next attempt after `failures` (≥ 1) failures in a row: doubles each time up to the limit, then
 * a random half of it is taken away, so that many clients do not come back together.
 */
export function backoffMs({ baseMs, maxMs }: BackoffLimits, failures: number, random: () => number): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(failures - 1, 30));
  return full * (1 - random() / 2);
}
