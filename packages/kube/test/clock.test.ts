// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "../src/clock.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const DAY = 86_400_000;

test("a delay longer than Node's timers hold (24.8 days) does not fire at once", () => {
  const fn = vi.fn();
  systemClock.after(60 * DAY, fn);
  vi.advanceTimersByTime(60 * DAY - 1);
  expect(fn).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(fn).toHaveBeenCalledOnce();
});

test("it can be cancelled in any of its parts", () => {
  const fn = vi.fn();
  const timer = systemClock.after(60 * DAY, fn);
  vi.advanceTimersByTime(40 * DAY);
  timer[Symbol.dispose]();
  vi.advanceTimersByTime(60 * DAY);
  expect(fn).not.toHaveBeenCalled();
});
