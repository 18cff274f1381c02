// SPDX-License-Identifier: Apache-2.0
import { isRaw } from "./defaults/raw.ts";
import { depthProblem } from "./extent.ts";

/**
 * The JSON object that an annotation holds; `undefined` if it is absent, empty, not JSON or not an object, or nested so
 * deeply that not all that can be read of it could be written again.
 */
export function parseObject(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined || text === "") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRaw(value) && depthProblem(value) === undefined ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Compact JSON with the first level's keys sorted, so that equal content is equal text. */
export function stringifySorted(object: Readonly<Record<string, unknown>>): string {
  const sorted = Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(Object.fromEntries(sorted));
}
