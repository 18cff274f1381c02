// SPDX-License-Identifier: Apache-2.0
import type { SidecarSet } from "@hot/spec";
import type { PodProjection } from "./pod-projection.ts";
import type { Uninjected } from "./uninjected.ts";

/** A write of ours that the cache has not shown yet. */
export type WriteKind = "upgrade" | "reset" | "abort" | "mark" | "adopt" | "repair" | "condition";

/**
 * Since when a new side has had its receipt, in epoch milliseconds, keyed by {@link receiptKey}. Kept in memory only, so
 * the soak starts again when the controller restarts.
 */
export type ReceiptTimes = ReadonlyMap<string, number>;

/** A write that the API server would not have: of this very state of a pod it is not sent again before its time. */
export interface Refusal {
  readonly resourceVersion: string;
  /** As the API server put it. */
  readonly message: string;
  /** Epoch milliseconds. */
  readonly until: number;
}

/** By kind of write and pod. */
export type RefusalTimes = ReadonlyMap<string, Refusal>;

/** Everything that one plan is made from. */
export interface Snapshot {
  /** Name of the SidecarSet, which may be gone. */
  readonly name: string;
  /** Absent: deleted, or being deleted. */
  readonly sidecarSet?: SidecarSet;
  /** The SidecarSet was read from the API for this plan, not from a cache that may be behind. */
  readonly live: boolean;
  /** Injected pods that the SidecarSet's selectors match. */
  readonly matched: readonly PodProjection[];
  /** Other pods with an upgrade of this SidecarSet that has to be finished. */
  readonly lingering: readonly PodProjection[];
  /** Injected pods that are not matched only because they lack containers of the SidecarSet; absent: none. */
  readonly lacking?: readonly PodProjection[];
  /** Where the SidecarSet is gone: active pods that it has injected. */
  readonly orphans?: readonly PodProjection[];
  /** Absent: not known. */
  readonly uninjected?: Uninjected;
  /** Own writes that the pods above may not show yet, by pod UID. Such a pod is left alone and keeps its unit. */
  readonly pending: ReadonlyMap<string, WriteKind>;
  readonly receipts: ReceiptTimes;
  /** Absent: nothing was refused. */
  readonly refused?: RefusalTimes;
  /** Why the SidecarSet's ControllerRevision can't be written, so that nothing may start; absent: it is, or may be yet. */
  readonly unrecorded?: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** One instance of one container: another instance has another key. */
export function receiptKey(pod: PodProjection, container: string, containerID: string): string {
  return `${pod.uid}/${container}/${containerID}`;
}
