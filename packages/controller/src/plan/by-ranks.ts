// SPDX-License-Identifier: Apache-2.0

/**
 * Sorts by ranks that are compared one after the other, the smaller first. They are taken once for each item: very many
 * pods are compared far more often than there are pods.
 *
 * @param then - decides between items with the same ranks; default: they stay in the order in which they came
 */
export function byRanks<T>(
  items: readonly T[],
  ranksOf: (item: T) => readonly number[],
  then: (a: T, b: T) => number = () => 0,
): T[] {
  return items
    .map((item) => ({ item, ranks: ranksOf(item) }))
    .sort((a, b) => compare(a.ranks, b.ranks) || then(a.item, b.item))
    .map(({ item }) => item);
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
