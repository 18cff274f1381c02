// SPDX-License-Identifier: Apache-2.0

/** The JSON object that an annotation holds; `undefined` if it is absent, empty, not JSON or not an object. */
export function parseObject(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined || text === "") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Compact JSON with the first level's keys sorted, so that equal content is equal text. */
export function stringifySorted(object: Readonly<Record<string, unknown>>): string {
  const sorted = Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(Object.fromEntries(sorted));
}
