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

/** Drops `undefined` members, which JSON has not. */
function asJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value ?? null)) as Json;
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
  const namesA = uniqueNames(a);
  const namesB = uniqueNames(b);
  if (namesA !== undefined && namesB !== undefined) {
    diffNamed({ items: a, names: namesA }, { items: b, names: namesB }, path, out);
  } else diffPlainArray(asJson(a) as Json[], asJson(b) as Json[], path, out);
}

function diffPlainArray(a: readonly Json[], b: readonly Json[], path: string, out: JsonPatchOperation[]): void {
  if (b.length >= a.length && a.every((item, index) => jsonEqual(item, b[index]))) {
    for (const value of b.slice(a.length)) out.push({ op: "add", path: `${path}/-`, value });
  } else {
    out.push({ op: "replace", path, value: [...b] });
  }
}

interface Named {
  items: readonly Json[];
  names: readonly string[];
}

function diffNamed(a: Named, b: Named, path: string, out: JsonPatchOperation[]): void {
  const placeInA = new Map(a.names.map((name, index) => [name, index]));
  const namesInB = new Set(b.names);
  for (const [index, name] of [...a.names.entries()].reverse()) {
    if (!namesInB.has(name)) out.push({ op: "remove", path: path + pointerStep(index) });
  }
  const current = a.names.filter((name) => namesInB.has(name));
  for (const [index, name] of b.names.entries()) {
    const at = path + pointerStep(index);
    const before = placeInA.get(name);
    if (before === undefined) {
      out.push({ op: "add", path: at, value: b.items[index] ?? null });
      current.splice(index, 0, name);
      continue;
    }
    if (current[index] !== name) {
      const from = current.indexOf(name, index);
      out.push({ op: "move", from: path + pointerStep(from), path: at });
      current.splice(from, 1);
      current.splice(index, 0, name);
    }
    diffValue(a.items[before], b.items[index], at, out);
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
