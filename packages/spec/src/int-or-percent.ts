// SPDX-License-Identifier: Apache-2.0
import type { IntOrPercent } from "./object-meta.ts";

const PERCENTAGE = /^[+-]?\d{1,15}%$/;

/**
 * The number that a number or percentage stands for; undefined when it is neither (`"5"`, `"five%"`).
 * Values above `total` and below 0 are not clamped.
 *
 * @example scaleIntOrPercent("5%", 6, true) // 1
 */
export function scaleIntOrPercent(value: IntOrPercent, total: number, roundUp: boolean): number | undefined {
  if (typeof value === "number") return Number.isInteger(value) ? value : undefined;
  if (!PERCENTAGE.test(value)) return undefined;
  const exact = (Number(value.slice(0, -1)) * total) / 100;
  return roundUp ? Math.ceil(exact) : Math.floor(exact);
}

/** Says why a value is no non-negative number or percentage, or undefined when it is one. */
export function intOrPercentProblem(value: unknown): string | undefined {
  if (typeof value === "number")
    return Number.isInteger(value) && value >= 0 && value < 2 ** 31
      ? undefined
      : "must be a whole number of at least 0";
  return typeof value === "string" && /^\d{1,9}%$/.test(value)
    ? undefined
    : "must be a whole number of at least 0 or a percentage such as 25%";
}
