// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { Backoff } from "../../src/node/backoff.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const fresh = (): Backoff => new Backoff({ base: 10 * SECOND, max: 300 * SECOND });

test("a key that never failed is not held back", () => {
  expect(fresh().remaining("a", 0, 0)).toBe(0);
});

test("the delay doubles from 10 s to 300 s and counts from the failure", () => {
  const backoff = fresh();
  const waits = [];
  let now = 0;
  for (let i = 0; i < 8; i++) {
    backoff.next("a", now, now);
    const wait = backoff.remaining("a", now, now);
    waits.push(wait / SECOND);
    expect(backoff.remaining("a", now, now + wait - 1)).toBe(1);
    now += wait;
    expect(backoff.remaining("a", now - wait, now)).toBe(0);
  }
  expect(waits).toEqual([10, 20, 40, 80, 160, 300, 300, 300]);
});

test("keys do not know each other", () => {
  const backoff = fresh();
  backoff.next("x_v1", 0, 0);
  expect(backoff.remaining("x_v2", 0, 1)).toBe(0);
});

test("a container that ran for longer than its delay is not held back, and after 10 minutes it starts anew", () => {
  const backoff = fresh();
  backoff.next("a", 0, 0);
  backoff.next("a", 10 * SECOND, 10 * SECOND);
  expect(backoff.delay("a")).toBe(20 * SECOND);
  const failure = 10 * SECOND + 10 * MINUTE;
  expect(backoff.remaining("a", failure, failure)).toBe(20 * SECOND); // just within
  expect(backoff.remaining("a", failure + 1, failure + 1)).toBe(0);
  backoff.next("a", failure + 1, failure + 1);
  expect(backoff.delay("a")).toBe(10 * SECOND);
});

test("counted from the last attempt, and forgotten by prefix", () => {
  const backoff = fresh();
  backoff.next("pod_a", 0, 0);
  backoff.next("other", 0, 0);
  expect(backoff.remainingSinceUpdate("pod_a", 4 * SECOND)).toBe(6 * SECOND);
  backoff.forget("pod_");
  expect(backoff.remainingSinceUpdate("pod_a", 4 * SECOND)).toBe(0);
  expect(backoff.remainingSinceUpdate("other", 4 * SECOND)).toBe(6 * SECOND);
});
