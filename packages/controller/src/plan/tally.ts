// SPDX-License-Identifier: Apache-2.0
import type { DecidePod, PodFacts } from "./decision.ts";
import { decidePod } from "./pod-decision.ts";
import type { PodProjection } from "./pod-projection.ts";
import type { Snapshot } from "./snapshot.ts";

/** Pods of which a plan needs to know no more than how many there are. */
export interface Group {
  /** Of the first of them: all that counts is the same in the others. */
  readonly facts: PodFacts;
  readonly count: number;
}

/** Injected pods that lack containers of the SidecarSet. */
export interface Lacking {
  readonly count: number;
  readonly first?: PodProjection;
}

/** What a plan goes by. */
export interface Tally {
  /** Matched pods that are looked at one by one, in the order in which they came. */
  readonly telling: readonly PodFacts[];
  /** The other matched pods. */
  readonly groups: readonly Group[];
  /** Those that lack containers and have an upgrade to be finished are among them. */
  readonly lingering: readonly PodFacts[];
  readonly lacking: Lacking;
  /** All matched pods. */
  readonly all: () => readonly PodFacts[];
  /** Whether a matched pod has a greater version than this one. */
  readonly isAhead: (version: bigint) => boolean;
}

/** Looks at each pod by itself. */
export function tallyOf(snapshot: Snapshot, decide: DecidePod = decidePod): Tally {
  const { lacking = [] } = snapshot;
  const telling = snapshot.matched.map((pod) => decide(pod, snapshot.sidecarSet, snapshot));
  return {
    telling,
    groups: [],
    lingering: snapshot.lingering.map((pod) => decide(pod, undefined, snapshot)),
    lacking: { count: lacking.length, ...(lacking[0] && { first: lacking[0] }) },
    all: () => telling,
    isAhead: (seen) => telling.some(({ version }) => version > seen),
  };
}
