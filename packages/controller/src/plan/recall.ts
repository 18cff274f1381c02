// SPDX-License-Identifier: Apache-2.0
import type { DecidePod, PodFacts, Sight } from "./decision.ts";
import { decidePod } from "./pod-decision.ts";
import type { PodProjection } from "./pod-projection.ts";
import { placeOf, type NamespaceLabels, type Place } from "./select-pods.ts";
import type { WriteKind } from "./snapshot.ts";
import { createWishes, type Wish } from "./wish.ts";

/**
 * What was found out about the pods of one SidecarSet, for as long as it holds: after one event nearly all of it does.
 * Both members give exactly what the functions that they are named after would give.
 */
export interface Recall {
  /**
   * Decides again only where something that counts is another: the pod, what the SidecarSet wants, an own write in
   * flight, a receipt, or the time where a decision depends on it.
   */
  readonly decidePod: DecidePod;
  readonly placeOf: typeof placeOf;
}

/** What was found out about one pod, by both members: very many pods are looked up for each event. */
interface Found {
  decided: Decided | undefined;
  placed: Placed | undefined;
}

/** What was decided, and what it was decided on besides the pod. */
interface Decided {
  readonly wish: Wish | undefined;
  readonly pending: WriteKind | undefined;
  readonly at: number;
  readonly facts: PodFacts;
}

interface Placed {
  readonly wish: Wish | undefined;
  /** Of the pod's namespace. */
  readonly labels: ReturnType<NamespaceLabels>;
  readonly place: Place;
}

export function createRecall(): Recall {
  const wishOf = createWishes();
  // By the pod as it was seen: one that changes is another object, and the old one takes its entry along.
  const found = new WeakMap<PodProjection, Found>();
  // Pods that are planned for together have much in common: what was placed alike is kept once.
  let last: Placed | undefined;

  const foundOf = (pod: PodProjection): Found => {
    const known = found.get(pod);
    if (known !== undefined) return known;
    const one: Found = { decided: undefined, placed: undefined };
    found.set(pod, one);
    return one;
  };

  return {
    decidePod: (pod, sidecarSet, sight) => {
      const wish = wishOf(sidecarSet);
      const pending = sight.pending.get(pod.uid);
      const one = foundOf(pod);
      const known = one.decided;
      if (known !== undefined && known.wish === wish && known.pending === pending && holds(known, sight)) {
        return known.facts;
      }
      const facts = decidePod(pod, sidecarSet, sight);
      // A write carries the time that it is planned at, and the version of the SidecarSet.
      one.decided = facts.decision.do === "write" ? undefined : { wish, pending, at: sight.now, facts };
      return facts;
    },
    placeOf: (pod, name, sidecarSet, namespaces) => {
      const wish = wishOf(sidecarSet);
      const labels = namespaces(pod.namespace);
      const one = foundOf(pod);
      const known = one.placed;
      if (known !== undefined && known.wish === wish && known.labels === labels) return known.place;
      const place = placeOf(pod, name, sidecarSet, namespaces);
      if (last === undefined || last.wish !== wish || last.labels !== labels || last.place !== place)
        last = { wish, labels, place };
      one.placed = last;
      return place;
    },
  };
}

function holds({ at, facts }: Decided, { now, receipts }: Sight): boolean {
  if (now < at || (facts.holdsUntil !== undefined && now >= facts.holdsUntil)) return false;
  return facts.receipts.every(({ key, since }) => (receipts.get(key) ?? now) === since);
}
