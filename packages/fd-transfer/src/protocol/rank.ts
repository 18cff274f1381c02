// SPDX-License-Identifier: Apache-2.0

/**
 * Which of two processes is the newer one (R9): first the version the SidecarSet gave it, then the order of start.
 * `version` is `SIDECARSET_VERSION` as it was when the process started, 0 outside pods; `startedAt` is in nanoseconds
 * of the machine's monotonic clock. A total order, so that two processes can never take turns in taking over.
 */
export interface Rank {
  readonly version: bigint;
  readonly startedAt: bigint;
}

/** Negative when `a` is the older one. */
export function compareRank(a: Rank, b: Rank): number {
  if (a.version !== b.version) return a.version < b.version ? -1 : 1;
  if (a.startedAt !== b.startedAt) return a.startedAt < b.startedAt ? -1 : 1;
  return 0;
}

/** Names the rank for the back-off after a roll-back: a container that restarts keeps its version, a process its start. */
export function rankKey(rank: Rank): string {
  return rank.version > 0n ? `version ${rank.version}` : `process ${rank.startedAt}`;
}
