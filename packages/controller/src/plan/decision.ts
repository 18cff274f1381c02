// SPDX-License-Identifier: Apache-2.0
import type { RolloutReason } from "@hot/spec";
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

/** A pair and what it needs by itself. */
export interface PairState {
  readonly pair: HotPair;
  readonly decision: PairDecision;
}

/** What is the case in a pod, as one SidecarSet sees it. */
export interface PodSight {
  readonly pod: PodProjection;
  readonly pairs: readonly HotPair[];
  /** Hash equal and every serving image is the wanted one. */
  readonly updated: boolean;
  /** Only images differ. */
  readonly upgradable: boolean;
  /** Reset, consistent and ready. */
  readonly ready: boolean;
  readonly upgrading: boolean;
}

/** A pod and what is to be done in it. */
export interface PodFacts extends PodSight {
  /** Takes a unit of maxUnavailable from the UPGRADE write until it is settled. */
  readonly holdsUnit: boolean;
  /** Why the pod's upgrade failed for the present generation. */
  readonly failed?: string;
  /** It failed before for it, and may be tried again, since somebody has asked for it. */
  readonly retried?: "pod" | "sidecarSet";
  readonly decision: PodDecision;
}

/** The parts of a snapshot that a decision about one pod needs. */
export type Sight = Pick<Snapshot, "name" | "receipts" | "now" | "pending">;
