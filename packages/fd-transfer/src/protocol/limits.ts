// SPDX-License-Identifier: Apache-2.0
import { HandoffError } from "../errors.ts";

/** All times of a hand-off, in milliseconds; Infinity is 24 days. EOF and NACK act at once; these bound what is silent. */
export interface Timeouts {
  /** HELLO to WELCOME. */
  readonly connectMs: number;
  /** One batch of descriptors to its ack. */
  readonly transferMs: number;
  /** All descriptors passed to COMMIT: the time the new process has to start and probe itself. */
  readonly readyMs: number;
  /** Health that the new side shows while accepting, before it owns for good. */
  readonly guardMs: number;
  /** COMMITTED to CONFIRMED at most; then the old side takes back. */
  readonly guardDeadlineMs: number;
  /** No PONG: accept without owning. */
  readonly hangMs: number;
  /** No PONG during the guard: take back. Shorter ones fail falsely under CPU throttling. */
  readonly deadMs: number;
  /** How long the loser of a decision may take to close. */
  readonly lingerMs: number;
  /** YIELD to YIELDED. */
  readonly yieldMs: number;
  /** First BUSY after a roll-back; doubles up to 32 times this. */
  readonly backOffMs: number;
}

/** Of a timer: what is longer would be over at once. 24.8 days. */
export const LONGEST_MS = 2 ** 31 - 1;

export const DEFAULT_TIMEOUTS: Timeouts = {
  connectMs: 2_000,
  transferMs: 5_000,
  readyMs: 60_000,
  guardMs: 200,
  guardDeadlineMs: 5_000,
  hangMs: 250,
  deadMs: 1_500,
  lingerMs: 1_000,
  yieldMs: 500,
  backOffMs: 500,
};

/**
 * The default times with those that were chosen; Infinity is as long as a timer goes.
 *
 * @throws HandoffError HOT4014
 */
export function timeoutsOf(chosen: Partial<Timeouts> = {}): Timeouts {
  const times: Record<keyof Timeouts, number> = { ...DEFAULT_TIMEOUTS, ...chosen };
  for (const [name, ms] of Object.entries(times) as [keyof Timeouts, number][]) {
    if (!(ms >= 0)) throw new HandoffError("HOT4014", `timeouts.${name} is ${ms}, no time in ms`, { phase: "open" });
    times[name] = Math.min(ms, LONGEST_MS);
  }
  return times;
}
