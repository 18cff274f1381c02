// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { NO_BACK_OFF, rolledBack } from "../../src/protocol/back-off.ts";
import { DEFAULT_TIMEOUTS, LONGEST_MS, timeoutsOf } from "../../src/protocol/limits.ts";
import { decodeMessage, encodeMessage } from "../../src/protocol/message.ts";

test("a time that no timer can wait for is the longest that one can", () => {
  const times = { ...DEFAULT_TIMEOUTS, guardMs: 0, hangMs: LONGEST_MS, readyMs: LONGEST_MS };
  expect(timeoutsOf({ guardMs: 0, hangMs: 2 ** 31, readyMs: Infinity })).toEqual(times);
  expect(timeoutsOf()).toEqual(DEFAULT_TIMEOUTS);
});

test.each([Number.NaN, -1, undefined as unknown as number])("%s is no time", (readyMs) => {
  expect(() => timeoutsOf({ readyMs })).toThrow(expect.objectContaining({ code: "HOT4014", phase: "open" }));
});

test("BUSY can say the longest back-off", () => {
  const { backOffMs } = timeoutsOf({ backOffMs: Infinity });
  let backOff = NO_BACK_OFF;
  for (let times = 0; times < 7; times++) backOff = rolledBack(backOff, { version: 1n, startedAt: 0n }, 0, backOffMs);
  const busy = { type: "BUSY", retryAfterMs: backOff.until, by: "a" } as const;
  expect(decodeMessage(encodeMessage(busy, 0)).message).toEqual(busy);
});
