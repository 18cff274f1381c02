// SPDX-License-Identifier: Apache-2.0
import { formatQuantity, parseQuantity, type Container } from "@hot/spec";

/**
 * One number for each value that a container sets, so that a cache of pods can tell what it was injected with and stays
 * small.
 */
export function fingerprint(container: Container): Uint32Array {
  return Uint32Array.from(new Set(settings(container).map(({ print }) => print)));
}

/** A value that a container sets, and the top-level field that it belongs to. */
export interface Setting {
  readonly field: string;
  readonly print: number;
}

/** All that a container sets, and each field that it sets anything in. */
export function settings(container: Container): Setting[] {
  return Object.entries(container).flatMap(([field, value]) => {
    const texts = [...leaves(value, field, field === "resources")];
    return texts.length === 0 ? [] : [field, ...texts].map((text) => ({ field, print: printOf(text) }));
  });
}

/** `path=value` of everything that is set; zero values are what an API server leaves out. */
function* leaves(value: unknown, path: string, quantities: boolean): Generator<string> {
  if (value === null || value === undefined || value === "" || value === false || value === 0) return;
  if (typeof value !== "object") {
    const quantity = quantities ? parseQuantity(value as string) : undefined;
    yield `${path}=${quantity === undefined ? JSON.stringify(value) : formatQuantity(quantity)}`;
  } else if (Array.isArray(value)) {
    if (value.length > 0 && typeof value[0] !== "object") yield `${path}#${value.length}`;
    for (const [index, item] of value.entries()) yield* leaves(item, `${path}/${keyOf(item) ?? index}`, quantities);
  } else {
    for (const [key, member] of Object.entries(value)) yield* leaves(member, `${path}/${key}`, quantities);
  }
}

/** What makes an item of a list itself, wherever in the list it stands. */
function keyOf(item: unknown): string | undefined {
  const { mountPath, devicePath, containerPort, resourceName, name } = Object(item) as Record<string, unknown>;
  const key = mountPath ?? devicePath ?? containerPort ?? resourceName ?? name;
  return key === undefined ? undefined : JSON.stringify(key);
}

/** FNV-1a, 32 bits. */
export function printOf(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
