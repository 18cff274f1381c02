// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { firstPace, paceAfter, type Answered, type WritePace } from "../src/write-pace.ts";

const BOUNDS = { start: 8, most: 32 };

/** A server that works on `capacity` writes at once, each for `ms`; the rest waits in it. */
function rounds(count: number, capacity: number, ms: number, from = firstPace(BOUNDS)): WritePace {
  let pace = from;
  let at = 1_000_000;
  for (let i = 0; i < count; i++) {
    const took = ms * Math.max(1, pace.limit / capacity);
    for (let n = pace.limit; n > 0; n--) pace = paceAfter(pace, { sentAt: at, at: at + took, full: true }, BOUNDS);
    at += took;
  }
  return pace;
}

const tooMuch = (sentAt: number, at: number, retryAfterMs?: number): Answered => ({
  sentAt,
  at,
  full: true,
  overload: { ...(retryAfterMs !== undefined && { retryAfterMs }) },
});

describe("a server that is not loaded", () => {
  test("gets one more write at once after each round, up to the ceiling", () => {
    expect(rounds(1, 1000, 4).limit).toBe(9);
    expect(rounds(10, 1000, 4).limit).toBe(18);
    expect(rounds(100, 1000, 4).limit).toBe(32);
  });

  test("gets no more as long as there is no more to write", () => {
    let pace = firstPace(BOUNDS);
    for (let i = 0; i < 1000; i++) pace = paceAfter(pace, { sentAt: i, at: i + 4, full: false }, BOUNDS);
    expect(pace.limit).toBe(8);
  });
});

describe("answers that become slow", () => {
  test("hold the limit near what the server does at once", () => {
    const { limit } = rounds(200, 12, 20);
    expect(limit).toBeGreaterThanOrEqual(12);
    expect(limit).toBeLessThan(30);
  });

  test("lower it again, though never below the start: it may be the network or this process", () => {
    const fast = rounds(100, 1000, 4);
    expect(rounds(5, 1000, 400, fast).limit).toBeLessThan(fast.limit);
    expect(rounds(60, 1000, 400, fast).limit).toBe(8);
  });

  test("are believed in the end", () => {
    const fast = rounds(100, 1000, 4);
    expect(rounds(20_000, 1000, 40, fast).limit).toBe(32);
  });
});

describe("an overload", () => {
  test("halves the limit, once for all that was under way", () => {
    let pace = rounds(100, 1000, 4);
    for (let i = 0; i < 32; i++) pace = paceAfter(pace, tooMuch(100, 110 + i), BOUNDS);
    expect(pace.limit).toBe(16);
    expect(paceAfter(pace, tooMuch(200, 210), BOUNDS).limit).toBe(8);
  });

  test("after the clock was set back by an hour stops writes for as long as it says, and halves the limit", () => {
    const now = 3_600_000;
    const pace = paceAfter(rounds(100, 1000, 4), tooMuch(2 * now, 2 * now + 10, 5_000), BOUNDS);
    const later = paceAfter(pace, tooMuch(now, now + 10, 2_000), BOUNDS);
    expect(later).toMatchObject({ limit: 8, pausedUntil: now + 2_010 });
  });

  test("leads down to one at once, and up again", () => {
    let pace = firstPace(BOUNDS);
    for (let i = 0; i < 10; i++) pace = paceAfter(pace, tooMuch(i * 100, i * 100 + 10), BOUNDS);
    expect(pace.limit).toBe(1);
    expect(rounds(31, 1000, 4, pace).limit).toBe(32);
  });

  test("stops everything for as long as the server says, a second without a word, half a minute at most", () => {
    const pause = (retryAfterMs?: number): number =>
      paceAfter(firstPace(BOUNDS), tooMuch(0, 10, retryAfterMs), BOUNDS).pausedUntil - 10;
    expect([pause(), pause(3_000), pause(3_600_000)]).toEqual([1_000, 3_000, 30_000]);
  });

  test("of several pauses the one that ends last counts, also that of a write sent before the limit was lowered", () => {
    const first = paceAfter(firstPace(BOUNDS), tooMuch(0, 100, 5_000), BOUNDS);
    expect(paceAfter(first, tooMuch(50, 110, 1_000), BOUNDS).pausedUntil).toBe(5_100);
    expect(paceAfter(first, tooMuch(50, 110, 9_000), BOUNDS).pausedUntil).toBe(9_110);
  });
});

test("whatever comes, the limit stays between 1 and the ceiling", () => {
  const answer = fc.record({
    took: fc.integer({ min: -5, max: 60_000 }),
    full: fc.boolean(),
    refused: fc.boolean(),
    after: fc.option(fc.integer({ min: 0, max: 1e9 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 200 }), (answers) => {
      let pace = firstPace(BOUNDS);
      let at = 0;
      for (const { took, full, refused, after } of answers) {
        at += Math.abs(took);
        const overload = refused ? { overload: after === undefined ? {} : { retryAfterMs: after } } : {};
        pace = paceAfter(pace, { sentAt: at - took, at, full, ...overload }, BOUNDS);
        expect(pace.limit).toBeGreaterThanOrEqual(1);
        expect(pace.limit).toBeLessThanOrEqual(32);
        expect(Number.isInteger(pace.limit)).toBe(true);
        expect(pace.pausedUntil).toBeLessThanOrEqual(at + 30_000);
      }
    }),
  );
});
