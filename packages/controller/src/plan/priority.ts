// SPDX-License-Identifier: Apache-2.0
import { matchesSelector, type UpdateStrategy } from "@hot/spec";
import { byRanks } from "./by-ranks.ts";
import type { PodProjection } from "./pod-projection.ts";

type Labelled = Pick<PodProjection, "labels">;

/** Ranks of a pod, compared one after the other; the smaller is updated first. */
type Ranks = (pod: Labelled) => readonly number[];

/**
 * Sorts by `priorityStrategy`, stable: pods of one rank stay in the order in which they came. Weights come first where
 * both kinds are set, which validation refuses.
 */
export function byPriority<T extends { readonly pod: Labelled }>(
  items: readonly T[],
  strategy: UpdateStrategy["priorityStrategy"] = {},
): T[] {
  const ranks = ranksOf(strategy);
  if (ranks === undefined) return [...items];
  return byRanks(items, ({ pod }) => ranks(pod));
}

function ranksOf({ weightPriority = [], orderPriority = [] }: NonNullable<UpdateStrategy["priorityStrategy"]>) {
  if (weightPriority.length > 0) {
    const weights: Ranks = ({ labels }) => [
      -weightPriority.reduce((sum, one) => sum + (matchesSelector(one.matchSelector, labels) ? one.weight : 0), 0),
    ];
    return weights;
  }
  if (orderPriority.length === 0) return undefined;
  const keys = orderPriority.map(({ orderedKey }) => orderedKey);
  // A pod with none of the labels has -1 and is updated first, as with Kruise.
  const orders: Ranks = ({ labels }) => {
    const index = keys.findIndex((key) => Object.hasOwn(labels, key));
    return [index, ...descending(numberAtEnd(labels[keys[index] ?? ""] ?? ""))];
  };
  return orders;
}

const GREATEST = 2n ** 63n - 1n;

/** `pod-7` is 7; a text that ends in no digit is 0, and so is one that ends in too many, as with Kruise. */
function numberAtEnd(text: string): bigint {
  const number = BigInt(/\d+$/.exec(text)?.[0] ?? 0);
  return number > GREATEST ? 0n : number;
}

/** In two parts: ranks have 53 bits. */
const PART = 10n ** 15n;

function descending(number: bigint): [number, number] {
  return [-Number(number / PART), -Number(number % PART)];
}
