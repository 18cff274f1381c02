// SPDX-License-Identifier: Apache-2.0
import type { Condition } from "./object-meta.ts";

/** The condition of a type, if there is one. */
export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/**
 * Returns the conditions with one of them set. `lastTransitionTime` stays when the status is unchanged; when nothing
 * changes at all, the given list itself is returned, so that callers can skip the write.
 *
 * @param now RFC 3339 in UTC with second precision
 */
export function setCondition(
  conditions: readonly Condition[],
  condition: Omit<Condition, "lastTransitionTime">,
  now: string,
): readonly Condition[] {
  const before = findCondition(conditions, condition.type);
  const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : now;
  if (!before) return [...conditions, { ...condition, lastTransitionTime }];
  const unchanged =
    before.status === condition.status &&
    before.reason === condition.reason &&
    before.message === condition.message &&
    before.observedGeneration === condition.observedGeneration;
  if (unchanged) return conditions;
  return conditions.map((entry) => (entry === before ? { ...condition, lastTransitionTime } : entry));
}
