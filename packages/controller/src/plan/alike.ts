// SPDX-License-Identifier: Apache-2.0

/** What may be the same, by a number that is the same for all that is. */
export interface Alike<T> {
  /** To be read before the next call of `add`. */
  of(sketch: number): readonly T[];
  add(sketch: number, one: T): void;
}

/** So many with one sketch are forgotten, so that a look stays short. */
const MOST_OF_A_SKETCH = 16;
const NONE: readonly never[] = [];

/** @param most - more than this are forgotten at once */
export function createAlike<T>(most: number): Alike<T> {
  const known = new Map<number, T[]>();
  let size = 0;
  return {
    of: (sketch) => known.get(sketch) ?? NONE,
    add: (sketch, one) => {
      if (size >= most) {
        known.clear();
        size = 0;
      }
      size++;
      const alike = known.get(sketch);
      if (alike === undefined || alike.length >= MOST_OF_A_SKETCH) known.set(sketch, [one]);
      else alike.push(one);
    },
  };
}
