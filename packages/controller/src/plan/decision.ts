// SPDX-License-Identifier: Apache-2.0
import type { RolloutReason, SidecarSet } from "@hot/spec";
import type { HotPair } from "./hot-pair.ts";
import type { PairDecision } from "./hot-upgrade.ts";
import type { PodProjection } from "./pod-projection.ts";
import type { Images } from "./safety.ts";
import type { Snapshot } from "./snapshot.ts";
import type { PairStart, PodWrite } from "./writes.ts";

/** What one pod needs. */
export type PodDecision =
  | { readonly do: "nothing" }
  | { readonly do: "wait"; readonly reason: RolloutReason; readonly detail: string; readonly until?: number }
  | { readonly do: "report"; readonly reason: RolloutReason; readonly detail: string; readonly failing: boolean }
  | { readonly do: "write"; readonly write: PodWrite; readonly decision: PairDecision | undefined }
  | { readonly do: "candidate"; readonly hot: readonly PairStart[]; readonly cold: Images };

/** A candidate in which no image changes: it only gets its hash entry, which disturbs nobody. */
export function isMark(decision: PodDecision): boolean {
  return decision.do === "candidate" && decision.hot.length === 0 && Object.keys(decision.cold).length === 0;
}

/** A pair and what it needs by itself. */
export interface PairState {
  readonly pair: HotPair;
  readonly decision: PairDecision;
}

/** The receipt of one new side: {@link ReceiptTimes} has `since` by `key`. */
export interface KnownReceipt {
  readonly container: string;
  readonly key: string;
  readonly since: number;
  /** Absent: it is complete. */
  readonly until?: number;
}

/** What is the case in a pod, as one SidecarSet sees it. */
export interface PodSight {
  readonly pod: PodProjection;
  readonly pairs: readonly HotPair[];
  /** Hash equal: it was given what is wanted. */
  readonly updated: boolean;
  /** Only images differ. */
  readonly upgradable: boolean;
  /** Reset, consistent and ready. */
  readonly ready: boolean;
  readonly upgrading: boolean;
}

/** A pod and what is to be done in it. Its pairs are not kept: they take much room, and are read again by few. */
export interface PodFacts extends Omit<PodSight, "pairs"> {
  /** The greatest version of a side; 0 if there is none. */
  readonly version: bigint;
  /** Receipts that new sides have now. */
  readonly receipts: readonly KnownReceipt[];
  /** As long as nothing but time changes, everything here but a write holds until then. Absent: for ever. */
  readonly holdsUntil?: number;
  /** What the message of the condition SidecarSetUpgradable has to become; absent: it is right. */
  readonly upgradableMessage?: string;
  /** Takes a unit of maxUnavailable from the UPGRADE write until it is settled. */
  readonly holdsUnit: boolean;
  /** Why the pod's upgrade failed for the present generation. */
  readonly failed?: string;
  /** That is about to be noted, or being noted. */
  readonly failing?: boolean;
  /** Its write was refused, as this says, and is tried again now. */
  readonly refused?: string;
  /** It failed before for it, and may be tried again, since somebody has asked for it. */
  readonly retried?: "pod" | "sidecarSet";
  readonly decision: PodDecision;
}

/** {@link decidePod}, or what gives the same for less. */
export type DecidePod = (pod: PodProjection, sidecarSet: SidecarSet | undefined, sight: Sight) => PodFacts;

/** The parts of a snapshot that a decision about one pod needs. */
export type Sight = Pick<Snapshot, "name" | "receipts" | "now" | "pending">;
