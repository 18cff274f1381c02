// SPDX-License-Identifier: Apache-2.0
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
    if (operator === "NotIn") {
      const excluded = new Set(values);
      return set !== undefined && set !== "any" && [...set].every((value) => excluded.has(value));
    }
    if (operator === "Exists") return set === undefined;
    return operator === "DoesNotExist" && set !== undefined;
  });
}

function knownValues({ matchLabels, matchExpressions }: LabelSelector): Map<string, Set<string> | "any"> {
  const known = new Map<string, Set<string> | "any">();
  const add = (key: string, values: readonly string[]): void => {
    const before = known.get(key) ?? new Set();
    known.set(key, before);
    if (before !== "any") for (const value of values) before.add(value);
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
  const add = (term: LabelSelectorRequirement): void => {
    const before = terms.get(term.key);
    if (before) before.push(term);
    else terms.set(term.key, [term]);
  };
  for (const { matchLabels, matchExpressions } of [a, b]) {
    for (const [key, value] of Object.entries(matchLabels ?? {})) add({ key, operator: "In", values: [value] });
    for (const term of matchExpressions ?? []) add(term);
  }
  return [...terms.values()].every(canHold);
}

const OPERATORS: ReadonlySet<string> = new Set(["In", "NotIn", "Exists", "DoesNotExist"]);

/** Whether one label (or its absence) fulfils all terms of its key. */
function canHold(terms: readonly LabelSelectorRequirement[]): boolean {
  const values = (wanted: string): ReadonlySet<string>[] =>
    terms.filter(({ operator }) => operator === wanted).map((term) => new Set(term.values));
  const has = (wanted: string): boolean => terms.some(({ operator }) => operator === wanted);
  const [[among, ...others], not] = [values("In"), values("NotIn")];
  if (!terms.every(({ operator }) => OPERATORS.has(operator))) return false;
  if (has("DoesNotExist")) return !has("Exists") && !among;
  // Without a list to choose from there is always a value that no term names.
  if (!among) return true;
  return [...among].some((value) => others.every((set) => set.has(value)) && !not.some((set) => set.has(value)));
}
