// SPDX-License-Identifier: Apache-2.0
import type { JsonPatchOperation } from "./json-patch.ts";
import { isObject, JsonPatchError, pointerKeys, type Json } from "./json-pointer.ts";

/**
 * The document after the operations. `document` and the operations are not changed; the result shares with them what
 * the operations leave as it is. Strict as the API server is: a path that does not exist is an error, also for `remove`.
 *
 * @throws {JsonPatchError} when an operation does not fit
 */
export function applyPatch<T>(document: T, operations: readonly JsonPatchOperation[]): T {
  const root: Draft = { value: document as Json, copies: new Set() };
  for (const operation of operations) applyOperation(root, operation);
  return root.value as T;
}

/** The whole document is the member `value`; objects and arrays among `copies` are only in it and may be changed. */
interface Draft {
  value: Json;
  copies: Set<Json>;
}

function applyOperation(root: Draft, operation: JsonPatchOperation): void {
  if (operation.op === "move") {
    const value = take(root, operation.from);
    put(root, operation.path, value, false);
  } else if (operation.op === "remove") {
    take(root, operation.path);
  } else if (operation.op === "add" || operation.op === "replace") {
    if (operation.value === undefined) throw new JsonPatchError(`${operation.op} of ${operation.path} has no value`);
    put(root, operation.path, operation.value, operation.op === "replace");
  } else {
    throw new JsonPatchError(
      `"${String((operation as { op?: unknown }).op)}" is none of add, replace, remove and move`,
    );
  }
}

/** Where a pointer ends: the object or array, which may be changed, and the last key. */
function locate(root: Draft, path: string): { parent: Json; key: string } {
  const keys = ["value", ...pointerKeys(path)];
  const key = keys.pop() ?? "";
  let parent = root as unknown as Json;
  for (const step of keys) parent = changeable(root, parent, step, path);
  return { parent, key };
}

function changeable({ copies }: Draft, parent: Json, key: string, path: string): Json {
  const child = member(parent, key, path);
  if (typeof child !== "object" || child === null || copies.has(child)) return child;
  const copy = Array.isArray(child) ? [...child] : { ...child };
  copies.add(copy);
  if (Array.isArray(parent)) parent[Number(key)] = copy;
  else define(parent, key, copy);
  return copy;
}

/** Defined, not assigned: assigning `__proto__` would change the prototype instead of adding a key. */
function define(object: Json, key: string, value: Json): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

function member(parent: Json, key: string, path: string): Json {
  const found = Array.isArray(parent)
    ? parent[arrayIndex(key, parent.length - 1, path)]
    : isObject(parent) && Object.hasOwn(parent, key)
      ? parent[key]
      : undefined;
  if (found === undefined) throw new JsonPatchError(`path ${path} does not exist`);
  return found;
}

function put(root: Draft, path: string, value: Json, mustExist: boolean): void {
  const { parent, key } = locate(root, path);
  if (mustExist) member(parent, key, path);
  if (Array.isArray(parent)) {
    const index = key === "-" && !mustExist ? parent.length : arrayIndex(key, parent.length, path);
    parent.splice(index, mustExist ? 1 : 0, value);
  } else if (isObject(parent)) {
    define(parent, key, value);
  } else {
    throw new JsonPatchError(`path ${path} goes through a value that has no members`);
  }
}

function take(root: Draft, path: string): Json {
  if (path === "") throw new JsonPatchError("the whole document can't be removed or moved");
  const { parent, key } = locate(root, path);
  const value = member(parent, key, path);
  if (Array.isArray(parent)) parent.splice(arrayIndex(key, parent.length - 1, path), 1);
  else if (isObject(parent)) Reflect.deleteProperty(parent, key);
  return value;
}

function arrayIndex(key: string, max: number, path: string): number {
  const index = /^(?:0|[1-9]\d*)$/.test(key) ? Number(key) : Number.NaN;
  if (!(index <= max)) throw new JsonPatchError(`path ${path}: "${key}" is no index up to ${max}`);
  return index;
}
