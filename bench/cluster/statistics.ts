// SPDX-License-Identifier: Apache-2.0

/** The middle one, or the lower of the two; NaN of none. */
export function median(numbers: readonly number[]): number {
  return percentile(numbers, 0.5);
}

/** The smallest number that is not below this share of all. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** `1.50 / 1.62 / 2.10`: smallest, median, largest. */
export function spread(numbers: readonly number[], digits: number): string {
  return [Math.min(...numbers), median(numbers), Math.max(...numbers)].map((one) => one.toFixed(digits)).join(" / ");
}
