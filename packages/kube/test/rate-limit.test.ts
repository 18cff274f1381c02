// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { backoffMs } from "../src/backoff.ts";
import { perKeyBackoff, slowestOf, tokenBucket } from "../src/rate-limit.ts";
import { createFakeClock } from "../src/testing/fake-clock.ts";

describe("back-off", () => {
  test("doubles from the base to the limit", () => {
    const delays = [1, 2, 3, 4, 5, 100, 5000].map((n) => backoffMs({ baseMs: 200, maxMs: 1500 }, n, () => 0));
    expect(delays).toEqual([200, 400, 800, 1500, 1500, 1500, 1500]);
  });

  test("jitter takes away at most half", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
        const full = backoffMs({ baseMs: 10, maxMs: 5000 }, failures, () => 0);
        const delay = backoffMs({ baseMs: 10, maxMs: 5000 }, failures, () => random);
        expect(delay).toBeLessThanOrEqual(full);
        expect(delay).toBeGreaterThanOrEqual(full / 2);
      }),
    );
  });

  test("counts each key for itself", () => {
    const limiter = perKeyBackoff<string>({ baseMs: 100, maxMs: 1000 }, () => 0);
    expect([limiter.next("a"), limiter.next("a"), limiter.next("b")]).toEqual([100, 200, 100]);
    expect([limiter.attempts("a"), limiter.attempts("b"), limiter.attempts("c")]).toEqual([2, 1, 0]);
    limiter.forget("a");
    expect(limiter.next("a")).toBe(100);
  });
});

describe("token bucket", () => {
  test("lets a burst through, then the rate", async () => {
    const clock = createFakeClock();
    const bucket = tokenBucket({ perSecond: 10, burst: 3 }, clock);
    expect([1, 2, 3, 4, 5].map(() => bucket.next("x"))).toEqual([0, 0, 0, 100, 200]);
    await clock.advance(400);
    expect([1, 2, 3].map(() => bucket.next("x"))).toEqual([0, 0, 100]);
  });

  test("never holds more than the burst, and a clock that goes back gives nothing", async () => {
    let now = 1_000_000;
    const bucket = tokenBucket({ perSecond: 10, burst: 2 }, { now: () => now });
    now += 60_000;
    expect([1, 2, 3].map(() => bucket.next("x"))).toEqual([0, 0, 100]);
    now -= 60_000;
    expect(bucket.next("x")).toBe(200);
  });
});

test("of several limiters the slowest decides, and each counts", () => {
  const limiter = slowestOf<string>(
    perKeyBackoff({ baseMs: 50, maxMs: 1000 }, () => 0),
    tokenBucket({ perSecond: 10, burst: 1 }, { now: () => 0 }),
  );
  expect([limiter.next("a"), limiter.next("b"), limiter.next("a")]).toEqual([50, 100, 200]);
  expect(limiter.attempts("a")).toBe(2);
  limiter.forget("a");
  expect(limiter.attempts("a")).toBe(0);
});
