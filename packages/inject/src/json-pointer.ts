// SPDX-License-Identifier: Apache-2.0

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One step of an RFC 6901 pointer, escaped: `~` → `~0`, `/` → `~1`. */
export function pointerStep(key: string | number): string {
  if (typeof key === "number") return `/${key}`;
  return /[~/]/.test(key) ? `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}` : `/${key}`;
}

/**
 * The keys of a pointer, unescaped; `[]` for the whole document.
 *
 * @throws {JsonPatchError} when the text is no pointer
 */
export function pointerKeys(pointer: string): string[] {
  if (pointer === "") return [];
  if (typeof pointer !== "string") throw new JsonPatchError("an operation has no path");
  if (!pointer.startsWith("/")) throw new JsonPatchError(`"${pointer}" is no JSON pointer: it has to start with "/"`);
  return pointer
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** A patch that does not fit its document. */
export class JsonPatchError extends Error {
  override readonly name = "JsonPatchError";
}

export function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Deep equality of JSON values; the order of keys does not count, `__proto__` is a key like any other, and a member that
 * is `undefined` is none.
 */
export function jsonEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => jsonEqual(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = keysOf(a);
  return keys.length === keysOf(b).length && keys.every((k) => Object.hasOwn(b, k) && jsonEqual(a[k], b[k]));
}

function keysOf(object: Record<string, Json | undefined>): string[] {
  return Object.keys(object).filter((key) => object[key] !== undefined);
}
