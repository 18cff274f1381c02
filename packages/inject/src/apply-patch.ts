// SPDX-License-Identifier: Apache-2.0
import type { JsonPatchOperation } from "./json-patch.ts";
import { isObject, JsonPatchError, pointerKeys, type Json } from "./json-pointer.ts";

/**
 * The document after the operations; `document` itself is not changed. Strict as the API server is: a path that does
 * not exist is an error, also for `remove`.
 *
 * @throws {JsonPatchError} when an operation does not fit
 */
export function applyPatch<T>(document: T, operations: readonly JsonPatchOperation[]): T {
  const root: { value: Json } = { value: structuredClone(document) as Json };
  for (const operation of operations) applyOperation(root, operation);
  return root.value as T;
}

function applyOperation(root: { value: Json }, operation: JsonPatchOperation): void {
  if (operation.op === "move") {
    const value = take(root, operation.from);
    put(root, operation.path, value, false);
  } else if (operation.op === "remove") {
    take(root, operation.path);
  } else {
    put(root, operation.path, structuredClone(operation.value), operation.op === "replace");
  }
}

/** Where a pointer ends: the container and the last key. The whole document is the member `value` of the root. */
function locate(root: { value: Json }, path: string): { parent: Json; key: string } {
  const keys = ["value", ...pointerKeys(path)];
  const key = keys.pop() ?? "";
  let parent: Json = root;
  for (const step of keys) parent = member(parent, step, path);
  return { parent, key };
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

function put(root: { value: Json }, path: string, value: Json, mustExist: boolean): void {
  const { parent, key } = locate(root, path);
  if (mustExist) member(parent, key, path);
  if (Array.isArray(parent)) {
    const index = key === "-" && !mustExist ? parent.length : arrayIndex(key, parent.length, path);
    parent.splice(index, mustExist ? 1 : 0, value);
  } else if (isObject(parent)) {
    // Defined, not assigned: assigning `__proto__` would change the prototype instead of adding a key.
    Object.defineProperty(parent, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    throw new JsonPatchError(`path ${path} goes through a value that has no members`);
  }
}

function take(root: { value: Json }, path: string): Json {
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
