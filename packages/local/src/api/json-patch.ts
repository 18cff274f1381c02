// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import { copy, isJsonObject, setField } from "./object.ts";

/** A patch that is no list (`malformed`), or one that has an operation that is none or does not fit the document. */
export class JsonPatchError extends Error {
  readonly malformed: boolean;

  constructor(message: string, malformed = false) {
    super(message);
    this.name = "JsonPatchError";
    this.malformed = malformed;
  }
}

interface Operation {
  op: string;
  path: string;
  from?: string;
  value?: unknown;
}

/** Applies RFC 6902 operations to a copy of the document; all or nothing. Throws a {@link JsonPatchError}. */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw new JsonPatchError("a JSON patch is a list of operations", true);
  const box = { root: copy(document) };
  for (const operation of patch.map(decode)) applyOperation(box, operation);
  return box.root;
}

function decode(operation: unknown): Operation {
  if (!isJsonObject(operation) || typeof operation.op !== "string" || typeof operation.path !== "string") {
    throw new JsonPatchError("an operation needs op and path");
  }
  const { op, path, from } = operation;
  if (!["add", "remove", "replace", "move", "copy", "test"].includes(op)) {
    throw new JsonPatchError(`unexpected kind: ${op}`);
  }
  if ((op === "move" || op === "copy") && typeof from !== "string") {
    throw new JsonPatchError(`${op} needs from`);
  }
  return { op, path, ...(typeof from === "string" ? { from } : {}), value: operation.value };
}

function applyOperation(box: { root: unknown }, { op, path, from = "", value }: Operation): void {
  switch (op) {
    case "test":
      if (!isDeepStrictEqual(read(box, path), value ?? null)) throw new JsonPatchError(`testing value ${path} failed`);
      return;
    case "add":
      return add(box, path, copy(value ?? null));
    case "replace":
      read(box, path);
      return replace(box, path, copy(value ?? null));
    case "remove":
      read(box, path);
      return remove(box, path);
    case "copy":
      return add(box, path, copy(read(box, from)));
    default: {
      if (path.startsWith(`${from}/`)) throw new JsonPatchError("a value cannot move into itself");
      const moved = read(box, from);
      remove(box, from);
      return add(box, path, moved);
    }
  }
}

function split(path: string): string[] {
  if (path === "") return [];
  if (!path.startsWith("/")) throw new JsonPatchError(`${JSON.stringify(path)} is no JSON pointer`);
  return path
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** An index of RFC 6901 (no sign, no leading zero) within the list. */
function index(list: unknown[], step: string, end: number, path: string): number {
  const number = /^(0|[1-9]\d*)$/.test(step) ? Number(step) : Number.NaN;
  if (!(number < end)) throw new JsonPatchError(`index ${step} of ${path} is outside the list of ${list.length}`);
  return number;
}

function child(parent: unknown, step: string, path: string): unknown {
  if (Array.isArray(parent)) return parent[index(parent, step, parent.length, path)];
  if (isJsonObject(parent) && Object.hasOwn(parent, step)) return parent[step];
  throw new JsonPatchError(`doc is missing path: ${path}`);
}

function read(box: { root: unknown }, path: string): unknown {
  return split(path).reduce((here, step) => child(here, step, path), box.root);
}

function parentOf(box: { root: unknown }, path: string): { parent: unknown; last: string | undefined } {
  const steps = split(path);
  const last = steps.pop();
  return { parent: steps.reduce((here, step) => child(here, step, path), box.root), last };
}

function add(box: { root: unknown }, path: string, value: unknown): void {
  const { parent, last } = parentOf(box, path);
  if (last === undefined) box.root = value;
  else if (Array.isArray(parent)) {
    parent.splice(last === "-" ? parent.length : index(parent, last, parent.length + 1, path), 0, value);
  } else if (isJsonObject(parent)) setField(parent, last, value);
  else throw new JsonPatchError(`doc is missing path: ${path}`);
}

function replace(box: { root: unknown }, path: string, value: unknown): void {
  const { parent, last } = parentOf(box, path);
  if (last === undefined) box.root = value;
  else if (Array.isArray(parent)) parent[index(parent, last, parent.length, path)] = value;
  else if (isJsonObject(parent)) setField(parent, last, value);
}

function remove(box: { root: unknown }, path: string): void {
  const { parent, last } = parentOf(box, path);
  if (last === undefined) throw new JsonPatchError("the whole document cannot be removed");
  if (Array.isArray(parent)) parent.splice(index(parent, last, parent.length, path), 1);
  else if (isJsonObject(parent)) delete parent[last];
}
