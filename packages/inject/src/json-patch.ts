// SPDX-License-Identifier: Apache-2.0
import { isObject, jsonEqual, pointerStep, type Json } from "./json-pointer.ts";

/** An RFC 6902 operation, of the kinds that {@link diff} emits. */
export type JsonPatchOperation =
  | { op: "add" | "replace"; path: string; value: Json }
  | { op: "remove"; path: string }
  | { op: "move"; from: string; path: string };

/**
 * The operations that turn `a` into `b`: `applyPatch(a, diff(a, b))` deep-equals `b`, and equal documents give `[]`.
 *
 * Arrays of objects with unique names (containers, volumes, env) are compared by name, so that an inserted container is
 * one `add` and its neighbours stay untouched. `undefined` members count as absent. Values of the operations are parts of
 * `b`, not copies.
 *
 * @example diff({ a: 1 }, { a: 1, b: 2 }) // [{ op: "add", path: "/b", value: 2 }]
 */
export function diff(a: unknown, b: unknown): JsonPatchOperation[] {
  const operations: JsonPatchOperation[] = [];
  diffValue((a ?? null) as Json, (b ?? null) as Json, "", operations);
  return operations;
}

function diffValue(a: Json | undefined, b: Json | undefined, path: string, out: JsonPatchOperation[]): void {
  if (a === b) return;
  if (isObject(a) && isObject(b)) diffObject(a, b, path, out);
  else if (Array.isArray(a) && Array.isArray(b)) diffArray(a, b, path, out);
  else out.push({ op: "replace", path, value: b ?? null });
}

function diffObject(
  a: Record<string, Json | undefined>,
  b: Record<string, Json | undefined>,
  path: string,
  out: JsonPatchOperation[],
): void {
  for (const key of Object.keys(a)) {
    if (isPresent(a, key) && !isPresent(b, key)) out.push({ op: "remove", path: path + pointerStep(key) });
  }
  for (const [key, value] of Object.entries(b)) {
    if (value === undefined || (Object.hasOwn(a, key) && a[key] === value)) continue;
    const at = path + pointerStep(key);
    if (isPresent(a, key)) diffValue(a[key], value, at, out);
    else out.push({ op: "add", path: at, value });
  }
}

function isPresent(object: Record<string, Json | undefined>, key: string): boolean {
  return Object.hasOwn(object, key) && object[key] !== undefined;
}

function diffArray(a: readonly Json[], b: readonly Json[], path: string, out: JsonPatchOperation[]): void {
  const start = sharedItems(a, b, Math.min(a.length, b.length), (index) => index);
  const end = sharedItems(a, b, Math.min(a.length, b.length) - start, (index, { length }) => length - 1 - index);
  const [from, to] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  const [namesA, namesB] = [uniqueNames(from), uniqueNames(to)];
  if (from.length === 0) {
    for (const [index, value] of to.entries()) out.push({ op: "add", path: path + pointerStep(start + index), value });
  } else if (namesA !== undefined && namesB !== undefined) {
    diffNamed({ items: from, names: namesA }, { items: to, names: namesB }, path, start, out);
  } else diffPlainArray(a, b, path, out);
}

/** How many objects, counted from the one end, are the very same; there are always few others. */
function sharedItems(
  a: readonly Json[],
  b: readonly Json[],
  most: number,
  place: (index: number, list: readonly Json[]) => number,
): number {
  let count = 0;
  while (count < most && isObject(a[place(count, a)]) && a[place(count, a)] === b[place(count, b)]) count++;
  return count;
}

function diffPlainArray(a: readonly Json[], b: readonly Json[], path: string, out: JsonPatchOperation[]): void {
  if (b.length >= a.length && a.every((item, index) => jsonEqual(item, b[index]))) {
    for (const value of b.slice(a.length)) out.push({ op: "add", path: `${path}/-`, value });
  } else {
    out.push({ op: "replace", path, value: b as Json[] });
  }
}

interface Named {
  items: readonly Json[];
  names: readonly string[];
}

/** @param start - the index of the first of `a` and `b` in the array at `path` */
function diffNamed(a: Named, b: Named, path: string, start: number, out: JsonPatchOperation[]): void {
  const step = (index: number): string => path + pointerStep(start + index);
  const placeInA = new Map(a.names.map((name, index) => [name, index]));
  const namesInB = new Set(b.names);
  for (const [index, name] of [...a.names.entries()].reverse()) {
    if (!namesInB.has(name)) out.push({ op: "remove", path: step(index) });
  }
  const current = a.names.filter((name) => namesInB.has(name));
  for (const [index, name] of b.names.entries()) {
    const before = placeInA.get(name);
    if (before === undefined) {
      out.push({ op: "add", path: step(index), value: b.items[index] ?? null });
      current.splice(index, 0, name);
      continue;
    }
    if (current[index] !== name) {
      const from = current.indexOf(name, index);
      out.push({ op: "move", from: step(from), path: step(index) });
      current.splice(from, 1);
      current.splice(index, 0, name);
    }
    diffValue(a.items[before], b.items[index], step(index), out);
  }
}

/** The `name` of every item, if all have one and no two are the same. */
function uniqueNames(items: readonly Json[]): string[] | undefined {
  const names: string[] = [];
  for (const item of items) {
    if (!isObject(item) || !Object.hasOwn(item, "name") || typeof item["name"] !== "string") return undefined;
    names.push(item["name"]);
  }
  return new Set(names).size === names.length ? names : undefined;
}
