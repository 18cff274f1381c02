// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";

const MOST = 3;
/** Characters that are shown of a value, and before the first difference of two long texts. */
const WIDTH = 200;
const LEAD = 60;

/** The first places at which two JSON values differ, as `path: expected …, got …`; empty if they are equal. */
export function firstDifferences(actual: unknown, expected: unknown): string[] {
  const found: string[] = [];
  for (const difference of differences(actual, expected, "$")) if (found.push(difference) === MOST) break;
  return found;
}

function* differences(actual: unknown, expected: unknown, path: string): Generator<string> {
  if (isDeepStrictEqual(actual, expected)) return;
  if (!isContainer(actual) || !isContainer(expected) || Array.isArray(actual) !== Array.isArray(expected)) {
    const from = firstOther(actual, expected);
    yield `${path}: expected ${short(expected, from)}, got ${short(actual, from)}`;
    return;
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const step = /^\w+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
    yield* differences(actual[key], expected[key], Array.isArray(expected) ? `${path}[${key}]` : path + step);
  }
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Where to begin with two long texts, so that the difference is seen. */
function firstOther(a: unknown, b: unknown): number {
  if (typeof a !== "string" || typeof b !== "string" || Math.max(a.length, b.length) <= WIDTH) return 0;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return Math.max(0, at - LEAD);
}

function short(value: unknown, from: number): string {
  const text = JSON.stringify(typeof value === "string" ? value.slice(from) : value) ?? "nothing";
  return `${from > 0 ? "…" : ""}${text.length > WIDTH ? `${text.slice(0, WIDTH)}…` : text}`;
}
