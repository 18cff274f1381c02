// SPDX-License-Identifier: Apache-2.0
import { createAlike } from "./alike.ts";
import { isSameValue, sketchOf } from "./same-value.ts";

/** Characters. What is larger is not kept for others: pods that come and go would fill the memory with it. */
export const LARGEST = 16_384;

/**
 * What is made of JSON values, once for each of them; a value is looked up without being written down.
 *
 * Pods of one template have most of their texts in common: a cache of all pods keeps each of them once. Only memory
 * depends on this, never a decision, so what becomes too much is simply forgotten.
 */
export function shared<K, V>(most: number, make: (value: K) => V, largest = LARGEST): (value: K) => V {
  const known = createAlike<{ readonly value: K; readonly made: V }>(most);
  return (value) => {
    const sketch = sketchOf(value);
    for (const one of known.of(sketch)) if (isSameValue(one.value, value)) return one.made;
    const made = make(value);
    if (JSON.stringify(value).length <= largest) known.add(sketch, { value, made });
    return made;
  };
}

const MOST_TEXTS = 10_000;
const texts = new Map<string, string>();

/** Longer texts have a time in them: they are looked up in vain. */
const LONGEST = 128;

export function sharedText(text: string): string {
  if (text.length > LONGEST) return text;
  const known = texts.get(text);
  if (known !== undefined) return known;
  if (texts.size >= MOST_TEXTS) texts.clear();
  const copy = copyOf(text);
  texts.set(copy, copy);
  return copy;
}

/** A part of a text keeps the whole of it alive; a copy does not. */
export function copyOf(text: string): string {
  const copy = Buffer.from(text, "latin1").toString("latin1");
  return copy === text ? copy : text;
}

type Labels = Readonly<Record<string, string>>;

/** The same labels are the same object, but for those that are more than people read. */
export const sharedLabels: (labels: Labels) => Labels = shared(10_000, (labels) => labels, 4_096);
