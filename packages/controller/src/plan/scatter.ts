// SPDX-License-Identifier: Apache-2.0
import type { UpdateStrategy } from "@hot/spec";
import type { PodProjection } from "./pod-projection.ts";

type Term = NonNullable<UpdateStrategy["scatterStrategy"]>[number];
type Labelled = Pick<PodProjection, "labels">;

/** How matched and other pods alternate: `count` times so many matched ones, then so many others. */
interface Rhythm {
  readonly count: number;
  readonly matched: number;
  readonly others: number;
}

/**
 * Spreads the pods that match a term of `scatterStrategy` over the whole rollout, as Kruise does, so that they are not
 * updated one after the other.
 *
 * @param items candidates, in the order that priorities give
 * @param all all matched pods of the SidecarSet, updated ones included: their ratio is kept where candidates lack matches
 */
export function scattered<T extends { readonly pod: Labelled }>(
  items: readonly T[],
  strategy: readonly Term[],
  all: readonly { readonly pod: Labelled }[],
): T[] {
  return termsFor(items, strategy, all).reduce((order, term) => scatterBy(term, order, all), [...items]);
}

/** `*` stands for every value of its label. Several terms: the one that most candidates match first, those without none. */
function termsFor(
  items: readonly { pod: Labelled }[],
  strategy: readonly Term[],
  all: readonly { pod: Labelled }[],
): Term[] {
  const terms = new Map<string, Term>();
  for (const { key, value } of strategy) {
    const values = value === "*" ? all.flatMap(({ pod }) => pod.labels[key] ?? []) : [value];
    for (const one of values) terms.set(JSON.stringify([key, one]), { key, value: one });
  }
  if (terms.size < 2) return [...terms.values()];
  return [...terms.values()]
    .map((term) => ({ term, count: items.filter(matches(term)).length }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count)
    .map(({ term }) => term);
}

function matches({ key, value }: Term): (item: { readonly pod: Labelled }) => boolean {
  return ({ pod }) => (pod.labels[key] ?? "") === value;
}

function scatterBy<T extends { readonly pod: Labelled }>(
  term: Term,
  items: readonly T[],
  all: readonly { readonly pod: Labelled }[],
): T[] {
  const isMatched = matches(term);
  const matched = items.filter(isMatched);
  const others = items.filter((item) => !isMatched(item));
  if (matched.length <= 1 || others.length <= 1) return [...items];
  // The last matched one ends the rollout, and takes no part in the rhythm.
  const last = matched.slice(-1);
  const spread = matched.slice(0, -1);
  const allMatched = all.filter(isMatched).length;
  const rhythm = rhythmOf(spread.length, others.length, allMatched - 1, all.length - allMatched);
  const first = rhythm.fromAll ? others.length - rhythm.count * rhythm.others : 0;
  const order = others.slice(0, first);
  for (let round = 0; round < rhythm.count; round++) {
    order.push(...spread.slice(round * rhythm.matched, (round + 1) * rhythm.matched));
    order.push(...others.slice(first + round * rhythm.others, first + (round + 1) * rhythm.others));
  }
  order.push(...spread.slice(rhythm.count * rhythm.matched), ...others.slice(first + rhythm.count * rhythm.others));
  return [...order, ...last];
}

/** Others are denser among the candidates than among all pods where matched ones were updated ahead of their turn. */
function rhythmOf(
  matched: number,
  others: number,
  allMatched: number,
  allOthers: number,
): Rhythm & { fromAll: boolean } {
  const own = even(matched, others);
  if (allOthers * matched >= others * allMatched) return { ...own, fromAll: false };
  const { matched: perMatched, others: perOthers } = even(allMatched, allOthers);
  const count = Math.min(Math.floor(matched / perMatched), Math.floor(others / perOthers));
  return { count, matched: perMatched, others: perOthers, fromAll: true };
}

function even(matched: number, others: number): Rhythm {
  const count = Math.min(matched, others);
  return { count, matched: Math.round(matched / count), others: Math.round(others / count) };
}
