// SPDX-License-Identifier: Apache-2.0

/**
 * Whether `present` has everything that `wanted` has, whatever else it has: fields that an API server has defaulted do
 * not count as a difference. Lists have to be of one length.
 */
export function covers(present: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(present) &&
      present.length === wanted.length &&
      wanted.every((item, index) => covers(present[index], item))
    );
  }
  if (typeof wanted !== "object" || wanted === null) return present === wanted;
  if (typeof present !== "object" || present === null) return false;
  return Object.entries(wanted).every(([key, value]) => covers((present as Record<string, unknown>)[key], value));
}
