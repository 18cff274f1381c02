// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import type { Patch } from "../api.ts";

type Json = Record<string, unknown>;

/** A `test` operation failed, or a path does not exist: the server answers 422. */
export class PatchError extends Error {}

/** Applies a patch to a copy. Strategic: lists of objects that have a `name`, or a `type`, merge by it. */
export function applyPatch(object: object, patch: Patch): Json {
  const copy = structuredClone(object) as Json;
  if (patch.type === "json") {
    for (const operation of patch.body) applyOperation(copy, operation as Operation);
    return copy;
  }
  return merge(copy, patch.body as Json, patch.type === "strategic");
}

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function merge(target: Json, changes: Json, strategic: boolean): Json {
  for (const [key, value] of Object.entries(changes)) {
    const before = target[key];
    if (value === null) delete target[key];
    else if (isObject(value)) target[key] = merge(isObject(before) ? before : {}, value, strategic);
    else if (strategic && Array.isArray(value) && Array.isArray(before)) target[key] = mergeList(before, value);
    else target[key] = structuredClone(value);
  }
  return target;
}

function mergeList(before: unknown[], changes: unknown[]): unknown[] {
  const items = changes.filter(isObject);
  const key = ["name", "type"].find((name) => items.every((item) => name in item));
  if (key === undefined || items.length < changes.length) return structuredClone(changes);
  const result = [...before];
  for (const item of items) {
    const at = result.findIndex((each) => isObject(each) && each[key] === item[key]);
    if (item["$patch"] === "delete") result.splice(at, at === -1 ? 0 : 1);
    else if (at === -1) result.push(merge({}, item, true));
    else result[at] = merge(result[at] as Json, item, true);
  }
  return result;
}

interface Operation {
  op: "add" | "remove" | "replace" | "test";
  path: string;
  value?: unknown;
}

function applyOperation(root: Json, { op, path, value }: Operation): void {
  const keys = path
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = keys.pop() ?? "";
  let parent: unknown = root;
  for (const key of keys) parent = (parent as Json | undefined)?.[key];
  if (typeof parent !== "object" || parent === null) throw new PatchError(`path ${path} does not exist`);
  const holder = parent as Json;
  if (op !== "add" && !(last in holder)) throw new PatchError(`path ${path} does not exist`);
  if (op === "test") {
    if (!isDeepStrictEqual(holder[last], value)) throw new PatchError(`testing path ${path} failed`);
  } else if (Array.isArray(parent)) {
    const at = last === "-" ? parent.length : Number(last);
    if (op === "remove") parent.splice(at, 1);
    else parent.splice(at, op === "add" ? 0 : 1, structuredClone(value));
  } else if (op === "remove") {
    delete holder[last];
  } else {
    holder[last] = structuredClone(value);
  }
}
