// SPDX-License-Identifier: Apache-2.0

/**
 * RFC 7396 on two JSON texts, with upstream's limits: the patch has to be an object or an array, and `null` can't be
 * patched. Numbers keep their text, so that nothing is lost to floating point. `undefined`: not mergeable.
 */
export function mergeJsonText(original: string, patch: string): string | undefined {
  try {
    const target = parseExact(original);
    const change = parseExact(patch);
    if (target === null || typeof change !== "object" || change === null || isRawJson(change)) return undefined;
    return JSON.stringify(merge(target, change));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether two JSON texts say the same, where a member that is null counts as none. */
export function isSameButNulls(a: string | undefined, b: string): boolean {
  return a !== undefined && a !== "" && pruned(parseExact(a)) === pruned(parseExact(b));
}

function pruned(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pruned).join()}]`;
  if (!isPlainObject(value)) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, member]) => member !== null);
  const sorted = entries.sort(([x], [y]) => (x < y ? -1 : 1));
  return `{${sorted.map(([key, member]) => `${JSON.stringify(key)}:${pruned(member)}`).join()}}`;
}

function merge(target: unknown, change: unknown): unknown {
  if (!isPlainObject(change)) return change;
  const result = new Map(Object.entries(isPlainObject(target) ? target : {}));
  for (const [key, value] of Object.entries(change)) {
    if (value === null) result.delete(key);
    else result.set(key, merge(result.get(key), value));
  }
  return Object.fromEntries([...result].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isRawJson(value);
}

/** ECMAScript's "JSON.parse source text access", which TypeScript's library does not declare yet. */
const json = JSON as unknown as {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): object;
  isRawJSON(value: unknown): boolean;
};

function parseExact(text: string): unknown {
  return json.parse(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined && String(value) !== source ? json.rawJSON(source) : value,
  );
}

function isRawJson(value: unknown): boolean {
  return json.isRawJSON(value);
}
