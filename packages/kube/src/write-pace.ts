// SPDX-License-Identifier: Apache-2.0

/**
 * How many writes may be under way at once, learned from the answers: one more after each round that went well, half as
 * many after an answer that says "too much". No rate is set: a server that is fast gets more a second by itself.
 */
export interface WritePace {
  /** Writes that may be under way at once; at least 1. */
  readonly limit: number;
  /** Nothing is sent before; epoch milliseconds. */
  readonly pausedUntil: number;
  /** Since the last time that the limit was lowered for an overload; what was sent before is of the same overload. */
  readonly slowedAt: number;
  /** Usual time of a write where nothing waits, in milliseconds; 0: not known. */
  readonly usualMs: number;
  /** The round that is being counted: `limit` answers. */
  readonly round: { readonly answers: number; readonly totalMs: number; readonly full: boolean };
}

export interface PaceBounds {
  /** Writes at once in the beginning. Slow answers alone never lead below it. */
  readonly start: number;
  /** The ceiling. */
  readonly most: number;
}

export interface Answered {
  readonly sentAt: number;
  readonly at: number;
  /** All that the limit allows was under way, so that the answer tells something about the limit. */
  readonly full: boolean;
  /** The server, or the way to it, has too much to do. */
  readonly overload?: { readonly retryAfterMs?: number };
}

/** Without a Retry-After, in milliseconds. */
const PAUSE = 1_000;
/** No server may stop writes for longer, in milliseconds; it may ask again. */
export const LONGEST_PAUSE_MS = 30_000;
/** Slower than this many times the usual: requests wait for each other. */
const SLOW = 2;
/** Differences below this are noise, in milliseconds. */
const NOISE = 5;
/** The usual time rises by this with each round, so that a server that has become slower is believed in the end. */
const FORGET = 1.0002;

const NO_ROUND = { answers: 0, totalMs: 0, full: false };

export function firstPace({ start }: PaceBounds): WritePace {
  return { limit: start, pausedUntil: 0, slowedAt: Number.NEGATIVE_INFINITY, usualMs: 0, round: NO_ROUND };
}

/** The pace after one more answer. */
export function paceAfter(before: WritePace, answer: Answered, bounds: PaceBounds): WritePace {
  // Where the clock was set back, times of before say nothing any more.
  const pace = before.slowedAt > answer.at ? { ...before, pausedUntil: 0, slowedAt: Number.NEGATIVE_INFINITY } : before;
  return answer.overload === undefined ? counted(pace, answer, bounds) : slowed(pace, answer, answer.overload);
}

function slowed(pace: WritePace, { sentAt, at }: Answered, { retryAfterMs = PAUSE }: { retryAfterMs?: number }) {
  const pausedUntil = Math.max(pace.pausedUntil, at + Math.min(retryAfterMs, LONGEST_PAUSE_MS));
  if (sentAt < pace.slowedAt) return { ...pace, pausedUntil };
  return { ...pace, pausedUntil, slowedAt: at, limit: Math.max(1, Math.floor(pace.limit / 2)), round: NO_ROUND };
}

function counted(pace: WritePace, { sentAt, at, full }: Answered, bounds: PaceBounds): WritePace {
  const round = {
    answers: pace.round.answers + 1,
    totalMs: pace.round.totalMs + Math.max(0, at - sentAt),
    full: pace.round.full || full,
  };
  if (round.answers < pace.limit) return { ...pace, round };
  const mean = round.totalMs / round.answers;
  const usualMs = pace.usualMs === 0 ? mean : Math.min(mean, pace.usualMs * FORGET);
  const slow = mean > SLOW * usualMs + NOISE;
  return { ...pace, usualMs, round: NO_ROUND, limit: round.full ? nextLimit(pace.limit, slow, bounds) : pace.limit };
}

function nextLimit(limit: number, slow: boolean, { start, most }: PaceBounds): number {
  if (!slow) return Math.min(most, limit + 1);
  return Math.min(limit, Math.max(start, Math.floor(limit * 0.9)));
}
