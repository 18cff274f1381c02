// SPDX-License-Identifier: Apache-2.0
import type { ObjectMeta } from "@hot/spec";

/** A Kubernetes object as the server holds it. Stored objects are frozen: a change makes a new object. */
export interface ApiObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

export type JsonObject = Record<string, unknown>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An own field; inherited names such as `constructor` and `__proto__` are no fields. */
export function field(value: unknown, name: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** The value below `path`, or undefined as soon as one step is missing. */
export function at(value: unknown, ...path: string[]): unknown {
  let here = value;
  for (const name of path) here = field(here, name);
  return here;
}

/** Sets an own field, also when its name is `__proto__`: hostile keys stay ordinary data and never reach a prototype. */
export function setField(target: JsonObject, name: string, value: unknown): void {
  if (name === "__proto__") {
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[name] = value;
  }
}

/** The list below `path`, empty when absent; items that are no objects are left out. */
export function listAt(value: unknown, ...path: string[]): JsonObject[] {
  const list = at(value, ...path);
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

export function textAt(value: unknown, ...path: string[]): string | undefined {
  const text = at(value, ...path);
  return typeof text === "string" ? text : undefined;
}

export function numberAt(value: unknown, ...path: string[]): number {
  const number = at(value, ...path);
  return typeof number === "number" ? number : 0;
}

/** A value of unknown type for a message. `String()` would call a hostile `toString`. */
export function shown(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of Object.values(value)) deepFreeze(item);
  }
  return value;
}

/** A deep copy that the caller may change. */
export function copy<T>(value: T): T {
  return structuredClone(value);
}
