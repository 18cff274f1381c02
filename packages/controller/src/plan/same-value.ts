// SPDX-License-Identifier: Apache-2.0

type Members = Readonly<Record<string, unknown>>;

/** Whether two JSON values are the same. */
export function isSameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && hasSameItems(a, b);
  return !Array.isArray(b) && hasSameMembers(a as Members, b as Members);
}

function hasSameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (!isSameValue(a[at], b[at])) return false;
  return true;
}

/**
 * Without a list of the names, which would cost more than the comparison: what JSON gives inherits nothing that is
 * listed. Nor is what it inherits otherwise a JSON value, but for the prototype itself.
 */
function hasSameMembers(a: Members, b: Members): boolean {
  let more = 0;
  for (const name in a) {
    const other = b[name];
    if (other === undefined || other === Object.prototype || !isSameValue(a[name], other)) return false;
    more++;
  }
  for (const _ in b) more--;
  return more === 0;
}

/**
 * A number of 32 bits that is the same for the same JSON value with its members in the same order. Of a long text only
 * some characters count, so that this costs far less than to write the value down: {@link isSameValue} says for sure.
 */
export function sketchOf(value: unknown, seed = 0x811c9dc5): number {
  if (typeof value === "string") return sketchOfText(value, seed);
  if (typeof value !== "object" || value === null) return mixed(seed, Number(value));
  let sketch = seed;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) sketch = sketchOf(value[at], sketch);
    return mixed(sketch, value.length);
  }
  for (const name in value) sketch = sketchOf((value as Members)[name], mixed(sketch, name.length));
  return sketch;
}

function sketchOfText(text: string, seed: number): number {
  const { length } = text;
  const step = 1 + (length >> 3);
  let sketch = mixed(seed, length);
  for (let at = length - 1; at >= 0; at -= step) sketch = mixed(sketch, text.charCodeAt(at));
  return sketch;
}

/** A step of FNV-1a. */
export function mixed(sketch: number, value: number): number {
  return Math.imul(sketch ^ value, 0x01000193);
}
