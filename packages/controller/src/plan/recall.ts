// SPDX-License-Identifier: Apache-2.0
import type { SidecarSet } from "@hot/spec";
import type { Changes } from "./changes.ts";
import type { DecidePod, PodFacts, Sight } from "./decision.ts";
import { planOn, type Plan } from "./plan.ts";
import { decidePod } from "./pod-decision.ts";
import type { PodProjection } from "./pod-projection.ts";
import { createRoll, type Entry } from "./roll.ts";
import { placeOf, type NamespaceLabels } from "./select-pods.ts";
import type { Snapshot, WriteKind } from "./snapshot.ts";
import { createWishes, type Wish } from "./wish.ts";

/** What one plan is made from, with the pods as they come. */
export interface Sighting extends Omit<Snapshot, "matched" | "lingering"> {
  /** All that may concern the SidecarSet. A plan reads them at once, so the list may change afterwards. */
  readonly pods: readonly PodProjection[];
  /** Where `pods` were changed; absent: not known. */
  readonly changes?: Changes;
  readonly namespaces: NamespaceLabels;
}

/**
 * What was found out about the pods of one SidecarSet, for as long as it holds: after one event nearly all of it does,
 * and pods that are as they were are not even looked at.
 */
export interface Recall {
  /**
   * The plan that `plan` would make of the same. A pod is decided about again only where something that counts is
   * another: the pod, what the SidecarSet wants, an own write in flight, a receipt, or the time where a decision depends
   * on it.
   */
  plan(sighting: Sighting): Plan;
  /** Whether pods were looked at for what the SidecarSet wants now. */
  knows(sidecarSet: SidecarSet | undefined): boolean;
  /**
   * Looks at pods, at one of them in each step, so that little is left to do for the plan that follows. Between the steps
   * anything may change but the sighting, and no plan may be made.
   */
  look(sighting: Sighting): Iterable<void>;
}

/** What all that is recalled was decided on, besides the pods. */
interface Basis {
  readonly pods: PodProjection[];
  /** Those that tell what has changed since then. */
  readonly changes: Changes | undefined;
  readonly mark: number;
  readonly wish: Wish | undefined;
  readonly now: number;
  readonly pending: ReadonlyMap<string, WriteKind>;
  /** Labels of the namespaces of pods, where their places depend on them. */
  readonly spaces: Map<string, ReturnType<NamespaceLabels>>;
}

export function createRecall(decide: DecidePod = decidePod): Recall {
  const wishOf = createWishes();
  let last: Basis | undefined;
  let roll = createRoll();

  function* look(sighting: Sighting): Generator<void, void> {
    const { name, sidecarSet, pods, changes, pending, now, namespaces } = sighting;
    const wish = wishOf(sidecarSet);
    const mark = changes?.mark ?? 0;
    if (last === undefined || last.wish !== wish || now < last.now) {
      last = { pods: [], changes: undefined, mark, wish, now, pending: new Map(), spaces: new Map() };
      roll = createRoll();
    }
    const { pods: before, pending: wasPending, spaces }: Basis = last;
    const replaced = last.changes === changes ? changes?.since(last.mark) : undefined;
    // Whoever does not come to the end begins anew.
    last = undefined;
    const strategy = sidecarSet?.spec.updateStrategy;
    const changed = [...spaces.keys()].filter((space) => namespaces(space) !== spaces.get(space));
    for (const space of changed) spaces.delete(space);
    const byNamespace = sidecarSet?.spec.namespaceSelector !== undefined;

    const lookAt = (index: number): void => {
      const pod = pods[index];
      if (pod === undefined) return;
      // The first labels that were seen: if they change between two steps, all pods are looked at again.
      if (byNamespace && !spaces.has(pod.namespace)) spaces.set(pod.namespace, namespaces(pod.namespace));
      const place = placeOf(pod, name, sidecarSet, namespaces);
      const facts = place === "aside" ? undefined : decide(pod, place === "matched" ? sidecarSet : undefined, sighting);
      roll.set(index, { place, facts }, strategy);
    };
    function* lookWhere(isOther: (pod: PodProjection) => boolean): Generator<void, void> {
      for (const [index, pod] of pods.entries()) if (isOther(pod)) yield lookAt(index);
    }

    if (pods.length === before.length) for (const index of exchange(before, pods, replaced)) yield lookAt(index);
    else {
      const { first, end, endBefore } = difference(before, pods);
      const known = new Map<PodProjection | undefined, Entry>();
      for (let index = first; index < endBefore; index++) known.set(before[index], roll.at(index));
      roll.replace(first, endBefore, end - first);
      for (let index = first; index < end; index++) {
        const entry = known.get(pods[index]);
        if (entry === undefined) yield lookAt(index);
        else roll.set(index, entry, strategy);
      }
    }
    if (changed.length > 0) yield* lookWhere(({ namespace }) => changed.includes(namespace));
    if (pending.size + wasPending.size > 0) yield* lookWhere(({ uid }) => pending.get(uid) !== wasPending.get(uid));
    for (const index of roll.telling()) if (!holds(roll.at(index).facts, sighting)) yield lookAt(index);
    const kept = pods.length === before.length ? before : pods.slice();
    last = { pods: kept, changes, mark, wish, now, pending: new Map(pending), spaces };
  }

  return {
    plan: (sighting) => {
      for (const _ of look(sighting));
      return planOn(roll.tally(), sighting);
    },
    knows: (sidecarSet) => last !== undefined && last.wish === wishOf(sidecarSet),
    look,
  };
}

/** Makes a list like another one of its length, and returns where it was not; `among`: nowhere else. */
function exchange<T>(before: T[], now: readonly T[], among: Iterable<number> = now.keys()): number[] {
  const places: number[] = [];
  for (const place of among) {
    const one = now[place];
    if (one === before[place] || one === undefined) continue;
    before[place] = one;
    places.push(place);
  }
  return places;
}

/** Outside of these parts two lists are the same. */
function difference<T>(before: readonly T[], now: readonly T[]): { first: number; end: number; endBefore: number } {
  const shorter = Math.min(before.length, now.length);
  let first = 0;
  while (first < shorter && before[first] === now[first]) first++;
  let [end, endBefore] = [now.length, before.length];
  while (Math.min(end, endBefore) > first && before[endBefore - 1] === now[end - 1])
    [end, endBefore] = [end - 1, endBefore - 1];
  return { first, end, endBefore };
}

/** A write carries the time that it is planned at, and the version of the SidecarSet. */
function holds(facts: PodFacts | undefined, { now, receipts }: Pick<Sight, "now" | "receipts">): boolean {
  if (facts === undefined) return true;
  if (facts.decision.do === "write" || (facts.holdsUntil !== undefined && now >= facts.holdsUntil)) return false;
  return facts.receipts.every(({ key, since }) => (receipts.get(key) ?? now) === since);
}
