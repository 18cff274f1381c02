// SPDX-License-Identifier: Apache-2.0
import type { DecidePod, PodFacts } from "./decision.ts";
import { decidePod } from "./pod-decision.ts";
import type { Snapshot } from "./snapshot.ts";

/** Pods of which a plan needs to know no more than how many there are. */
export interface Group {
  /** Of the first of them: all that counts is the same in the others. */
  readonly facts: PodFacts;
  readonly count: number;
}

/** What a plan goes by. */
export interface Tally {
  /** Matched pods that are looked at one by one, in the order in which they came. */
  readonly telling: readonly PodFacts[];
  /** The other matched pods. */
  readonly groups: readonly Group[];
  readonly lingering: readonly PodFacts[];
  /** All matched pods. */
  readonly all: () => readonly PodFacts[];
  /** Whether a matched pod has a greater version than this one. */
  readonly isAhead: (version: bigint) => boolean;
}

/** Looks at each pod by itself. */
export function tallyOf(snapshot: Snapshot, decide: DecidePod = decidePod): Tally {
  const telling = snapshot.matched.map((pod) => decide(pod, snapshot.sidecarSet, snapshot));
  return {
    telling,
    groups: [],
    lingering: snapshot.lingering.map((pod) => decide(pod, undefined, snapshot)),
    all: () => telling,
    isAhead: (seen) => telling.some(({ version }) => version > seen),
  };
}
