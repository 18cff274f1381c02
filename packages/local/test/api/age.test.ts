// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { age } from "../../src/api/age.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  [0, "0s"],
  [119, "119s"],
  [2 * MINUTE, "2m"],
  [3 * MINUTE + 20, "3m20s"],
  [10 * MINUTE + 30, "10m"],
  [3 * HOUR + 5 * MINUTE, "3h5m"],
  [8 * HOUR + 5 * MINUTE, "8h"],
  [2 * DAY + 3 * HOUR, "2d3h"],
  [30 * DAY, "30d"],
  [3 * 365 * DAY + 2 * DAY, "3y2d"],
])("%d seconds are %s", (seconds, expected) => {
  const now = new Date("2030-01-01T00:00:00Z");
  expect(age(new Date(now.getTime() - seconds * 1000).toISOString(), now)).toBe(expected);
});

test("without a time it is unknown", () => {
  expect(age(undefined, new Date())).toBe("<unknown>");
});
