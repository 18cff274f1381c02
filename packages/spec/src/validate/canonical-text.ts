// SPDX-License-Identifier: Apache-2.0

/** A copy whose keys are in order at every depth, so that whatever walks it gives the same sequence for equal values. */
export function inKeyOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inKeyOrder);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, inKeyOrder(member)]));
}

/** JSON text that is equal for equal values, whatever the order of keys. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(inKeyOrder(value));
}
