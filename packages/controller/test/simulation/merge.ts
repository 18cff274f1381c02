// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * A merge patch, or a strategic one, of an object that is never changed: what stays the same is shared, and a patch that
 * changes nothing gives the very same object.
 */
export function merged<T>(before: T, changes: unknown, strategic: boolean): T {
  if (isObject(changes) && isObject(before)) return mergeObject(before, changes, strategic) as T;
  if (strategic && Array.isArray(changes) && Array.isArray(before)) return mergeList(before, changes) as T;
  return isDeepStrictEqual(before, changes) ? before : (structuredClone(changes) as T);
}

function mergeObject(before: Json, changes: Json, strategic: boolean): Json {
  let result = before;
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) {
      if (!(key in result)) continue;
      const { [key]: _, ...rest } = result;
      result = rest;
      continue;
    }
    const after = key in result ? merged(result[key], value, strategic) : structuredClone(value);
    if (after !== result[key]) result = { ...result, [key]: after };
  }
  return result;
}

/** Lists of a pod merge by `name` (containers) or `type` (conditions). */
function mergeList(before: readonly unknown[], changes: readonly unknown[]): readonly unknown[] {
  const key = changes.every((one) => isObject(one) && "name" in one) ? "name" : "type";
  const isFor = (one: unknown, change: Json): boolean => isObject(one) && one[key] === change[key];
  const kept = before.map((one) => {
    const change = (changes as Json[]).find((each) => isFor(one, each));
    return change === undefined ? one : merged(one, change, true);
  });
  const added = (changes as Json[]).filter((change) => !before.some((one) => isFor(one, change)));
  const isSame = added.length === 0 && kept.every((one, at) => one === before[at]);
  return isSame ? before : [...kept, ...structuredClone(added)];
}
