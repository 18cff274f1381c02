// SPDX-License-Identifier: Apache-2.0
import { matchesTerm } from "./label-selector.ts";
import type { LabelSelector, LabelSelectorRequirement } from "./object-meta.ts";

/**
 * Kruise's rule for "two SidecarSets may select the same pod": not exact (`Exists` counts as disjoint from a selector
 * that does not name the key), but it decides which SidecarSets exist side by side in clusters today.
 */
export function selectorsOverlap(a: LabelSelector, b: LabelSelector): boolean {
  return !isDisjoint(a, b) && !isDisjoint(b, a);
}

function isDisjoint(a: LabelSelector, b: LabelSelector): boolean {
  const known = knownValues(a);
  const misses = (key: string, values: readonly string[]): boolean => {
    const set = known.get(key);
    return set !== undefined && set !== "any" && !values.some((value) => set.has(value));
  };
  if (Object.entries(b.matchLabels ?? {}).some(([key, value]) => misses(key, [value]))) return true;
  return (b.matchExpressions ?? []).some(({ key, operator, values = [] }) => {
    const set = known.get(key);
    if (operator === "In") return misses(key, values);
    if (operator === "NotIn")
      return set !== undefined && set !== "any" && [...set].every((value) => values.includes(value));
    if (operator === "Exists") return set === undefined;
    return operator === "DoesNotExist" && set !== undefined;
  });
}

function knownValues({ matchLabels, matchExpressions }: LabelSelector): Map<string, Set<string> | "any"> {
  const known = new Map<string, Set<string> | "any">();
  const add = (key: string, values: readonly string[]): void => {
    const before = known.get(key);
    if (before !== "any") known.set(key, new Set([...(before ?? []), ...values]));
  };
  for (const [key, value] of Object.entries(matchLabels ?? {})) add(key, [value]);
  for (const { key, operator, values = [] } of matchExpressions ?? []) {
    if (operator === "In") add(key, values);
    if (operator === "Exists") known.set(key, "any");
  }
  return known;
}

/** Whether some set of labels matches both selectors; exact, because each key can be chosen on its own. */
export function selectorsCanMeet(a: LabelSelector, b: LabelSelector): boolean {
  const terms = new Map<string, LabelSelectorRequirement[]>();
  const add = (term: LabelSelectorRequirement): void =>
    void terms.set(term.key, [...(terms.get(term.key) ?? []), term]);
  for (const { matchLabels, matchExpressions } of [a, b]) {
    for (const [key, value] of Object.entries(matchLabels ?? {})) add({ key, operator: "In", values: [value] });
    for (const term of matchExpressions ?? []) add(term);
  }
  return [...terms.values()].every(canHold);
}

/** Whether one label (or its absence) fulfils all terms of its key. */
function canHold(terms: LabelSelectorRequirement[]): boolean {
  const isTrue = (label: string | undefined): boolean => terms.every((term) => matchesTerm(term, label));
  // A value that no term names stands for all the others; a label value can't contain NUL.
  const named = terms.flatMap((term) => term.values ?? []);
  return [undefined, "\0", ...named].some(isTrue);
}
