// SPDX-License-Identifier: Apache-2.0
import type { UpdateStrategy } from "@hot/spec";
import type { PodProjection } from "./pod-projection.ts";

type Term = NonNullable<UpdateStrategy["scatterStrategy"]>[number];
type Labelled = Pick<PodProjection, "labels">;

/** Each costs a pass over all pods. */
const MOST_TERMS = 100;

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

/**
 * `*` stands for every value of its label. The term that most candidates match comes first. What fewer than two match has
 * nothing to be spread, and the rarest of very many terms change the order hardly at all, but cost as much as any. Where
 * nobody has a label with an empty value, that value counts only by itself, as with Kruise.
 */
function termsFor(
  items: readonly { pod: Labelled }[],
  strategy: readonly Term[],
  all: readonly { readonly pod: Labelled }[],
): Term[] {
  const terms = new Map<string, { readonly term: Term; readonly count: number }>();
  const countsOf = new Map([...new Set(strategy.map(({ key }) => key))].map((key) => [key, countByValue(items, key)]));
  for (const { key, value } of strategy) {
    const values = value === "*" ? new Set(all.flatMap(({ pod }) => labelOf(pod, key) ?? [])) : [value];
    for (const one of values) {
      const count = countsOf.get(key)?.get(one) ?? 0;
      terms.set(JSON.stringify([key, one]), { term: { key, value: one }, count });
    }
  }
  const least = terms.size === 1 ? 0 : 1;
  return [...terms.values()]
    .filter(({ term, count }) => count > 1 || (term.value === "" && count >= least))
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_TERMS)
    .map(({ term }) => term);
}

function labelOf({ labels }: Labelled, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function countByValue(items: readonly { pod: Labelled }[], key: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { pod } of items) {
    const value = labelOf(pod, key);
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

/** A pod without the label has the value "". */
function matches({ key, value }: Term): (item: { readonly pod: Labelled }) => boolean {
  return ({ pod }) => (labelOf(pod, key) ?? "") === value;
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
