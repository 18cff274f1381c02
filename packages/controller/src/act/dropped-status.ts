// SPDX-License-Identifier: Apache-2.0
import type { SidecarSet, SidecarSetStatus } from "@hot/spec";

/**
 * What the API server does not keep of a status. Kruise's own definition of SidecarSets knows Kruise's fields only and
 * drops conditions, failures and the rest without a word: they hold here until the end of this leader's term.
 */
export interface DroppedStatus {
  /** The API server has made this of a SidecarSet when this status was written. */
  wrote(after: SidecarSet, status: SidecarSetStatus): void;
  /** With what was dropped. The same object gives the same, and is returned itself when nothing was. */
  whole(sidecarSet: SidecarSet): SidecarSet;
  /**
   * In how many milliseconds the status is to be written again though it says nothing new: the definition may be another
   * one by then. Undefined: nothing was dropped.
   */
  dueIn(sidecarSet: SidecarSet): number | undefined;
}

/** In milliseconds. */
const AGAIN = 60_000;

interface Dropped {
  readonly at: number;
  readonly uid: string | undefined;
  readonly fields: Partial<SidecarSetStatus>;
  readonly whole: WeakMap<SidecarSet, SidecarSet>;
}

export function createDroppedStatus(now: () => number): DroppedStatus {
  const known = new Map<string, Dropped>();
  const droppedOf = ({ metadata }: SidecarSet): Dropped | undefined => {
    const dropped = known.get(metadata.name ?? "");
    return dropped?.uid === metadata.uid ? dropped : undefined;
  };
  return {
    wrote: ({ metadata, status: kept = {} }, status) => {
      const { name = "", uid } = metadata;
      const fields = Object.fromEntries(Object.entries(status).filter(([field]) => !(field in kept)));
      if (Object.keys(fields).length === 0) known.delete(name);
      else known.set(name, { at: now(), uid, fields, whole: new WeakMap() });
    },
    whole: (sidecarSet) => {
      const dropped = droppedOf(sidecarSet);
      if (dropped === undefined) return sidecarSet;
      const whole = dropped.whole.get(sidecarSet) ?? {
        ...sidecarSet,
        status: { matchedPods: 0, updatedPods: 0, readyPods: 0, ...dropped.fields, ...sidecarSet.status },
      };
      dropped.whole.set(sidecarSet, whole);
      return whole;
    },
    dueIn: (sidecarSet) => {
      const dropped = droppedOf(sidecarSet);
      return dropped && Math.max(0, dropped.at + AGAIN - now());
    },
  };
}
