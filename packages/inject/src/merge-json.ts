// SPDX-License-Identifier: Apache-2.0
import { readJsonText, writeJsonText, type JsonText } from "./json-text.ts";

export interface MergedJson {
  text: string;
  /** Whether the original said the same, where a member that is null counts as none. */
  isSameButNulls: () => boolean;
}

/**
 * RFC 7396 on two JSON texts, with upstream's limits: the patch has to be an object or an array, and `null` can't be
 * patched. The text is upstream's too. `undefined`: not mergeable.
 */
export function mergeJsonText(original: string, patch: string): MergedJson | undefined {
  try {
    const target = readJsonText(original);
    const change = readJsonText(patch);
    if (target === NULL || typeof change === "string") return undefined;
    const merged = merge(target, change);
    return { text: writeJsonText(merged), isSameButNulls: () => isSame(target, merged) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const NULL = "null";

function isSame(a: JsonText | undefined, b: JsonText): boolean {
  if (a instanceof Map && b instanceof Map) {
    for (const [key, member] of a) if (member !== NULL && !isSame(b.get(key), member)) return false;
    return count(a) === count(b);
  }
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, at) => isSame(item, b[at] ?? NULL));
  return a === b;
}

function count(members: ReadonlyMap<string, JsonText>): number {
  let result = 0;
  for (const member of members.values()) if (member !== NULL) result++;
  return result;
}

function merge(target: JsonText | undefined, change: JsonText): JsonText {
  if (!(change instanceof Map)) return change;
  const result = new Map(target instanceof Map ? target : []);
  for (const [key, value] of change) {
    if (value === NULL) result.delete(key);
    else result.set(key, merge(result.get(key), value));
  }
  return new Map(inOrder(result));
}

/** By name, as upstream writes them. */
function inOrder(members: ReadonlyMap<string, JsonText>): [string, JsonText][] {
  const keys = [...members.keys()].sort();
  return keys.map((key) => [key, members.get(key) ?? NULL]);
}
