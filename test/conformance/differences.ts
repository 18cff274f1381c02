// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";

const MOST = 3;

/** The first places at which two JSON values differ, as `path: expected …, got …`; empty if they are equal. */
export function firstDifferences(actual: unknown, expected: unknown): string[] {
  return [...differences(actual, expected, "$")].slice(0, MOST);
}

function* differences(actual: unknown, expected: unknown, path: string): Generator<string> {
  if (isDeepStrictEqual(actual, expected)) return;
  if (!isContainer(actual) || !isContainer(expected) || Array.isArray(actual) !== Array.isArray(expected)) {
    yield `${path}: expected ${short(expected)}, got ${short(actual)}`;
    return;
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    yield* differences(actual[key], expected[key], `${path}.${key}`);
  }
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
