// SPDX-License-Identifier: Apache-2.0

/**
 * Pods of one template have most of their texts in common: a cache of all pods keeps each of them once. Only memory
 * depends on this, never a decision, so what becomes too much is simply forgotten.
 */
export function shared<V>(most: number): (key: string, make: () => V) => V {
  const known = new Map<string, V>();
  return (key, make) => {
    const before = known.get(key);
    if (before !== undefined) return before;
    if (known.size >= most) known.clear();
    const value = make();
    known.set(key, value);
    return value;
  };
}

const texts = shared<string>(10_000);
const labelSets = shared<Readonly<Record<string, string>>>(10_000);

/** Longer texts have a time in them: they are looked up in vain. */
const LONGEST = 128;

export function sharedText(text: string): string {
  return text.length > LONGEST ? text : texts(text, () => text);
}

export function sharedLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return labelSets(JSON.stringify(labels), () => labels);
}
