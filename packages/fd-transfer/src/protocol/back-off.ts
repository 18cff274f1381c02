// SPDX-License-Identifier: Apache-2.0
import { LONGEST_MS } from "./limits.ts";
import type { Rank } from "./rank.ts";
import { rankKey } from "./rank.ts";

/** Who was rolled back lately; a new rank starts afresh. */
export interface BackOff {
  readonly rank: string | null;
  readonly failures: number;
  readonly until: number;
}

export const NO_BACK_OFF: BackOff = { rank: null, failures: 0, until: 0 };

/** After ROLLED: the same rank waits `firstMs`, then twice as long each time, at most 32 times `firstMs` (R9). */
export function rolledBack(before: BackOff, rank: Rank, now: number, firstMs: number): BackOff {
  const key = rankKey(rank);
  const failures = before.rank === key ? before.failures + 1 : 1;
  const waitMs = Math.min(firstMs * 2 ** Math.min(failures - 1, 5), LONGEST_MS);
  return { rank: key, failures, until: now + waitMs };
}

export function blockedFor(backOff: BackOff, rank: Rank, now: number): number {
  return backOff.rank === rankKey(rank) ? Math.max(0, Math.ceil(backOff.until - now)) : 0;
}
