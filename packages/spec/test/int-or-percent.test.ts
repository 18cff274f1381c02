// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { intOrPercentProblem, scaleIntOrPercent } from "../src/index.ts";

it.each<[number | string, number, boolean, number | undefined]>([
  [3, 10, true, 3],
  ["5%", 6, true, 1],
  ["5%", 6, false, 0],
  ["10%", 1000, true, 100],
  ["150%", 10, true, 15],
  ["0%", 10, true, 0],
  ["5", 10, true, undefined],
  ["five%", 10, true, undefined],
  ["%", 10, true, undefined],
  [1.5, 10, true, undefined],
])("%s of %d, rounded up %s: %s", (value, total, roundUp, expected) => {
  expect(scaleIntOrPercent(value, total, roundUp)).toBe(expected);
});

it.each<[unknown, boolean]>([
  [0, true],
  ["25%", true],
  ["150%", true],
  [-1, false],
  ["-1%", false],
  ["10 %", false],
  ["10", false],
  [null, false],
])("%j is accepted: %s", (value, expected) => expect(intOrPercentProblem(value) === undefined).toBe(expected));
