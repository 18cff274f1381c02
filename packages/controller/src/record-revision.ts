// SPDX-License-Identifier: Apache-2.0
import type { SidecarSet, SidecarSetStatus } from "@hot/spec";
import type { Revisions } from "./act/revisions.ts";
import type { PodProjection } from "./plan/pod-projection.ts";
import { usedRevisions } from "./plan/used-revisions.ts";

/** A SidecarSet whose status names the revision that it is recorded as. */
export interface Recorded {
  readonly sidecarSet: SidecarSet | undefined;
  /** Why it could not be recorded: nothing may start, since pods are marked with the revision; the rest goes on. */
  readonly problem?: unknown;
}

/** @param revisions - absent: no history is kept */
export async function recordRevision(
  sidecarSet: SidecarSet | undefined,
  podsOf: (name: string) => readonly PodProjection[],
  revisions: Pick<Revisions, "sync"> | undefined,
  signal: AbortSignal,
): Promise<Recorded> {
  if (sidecarSet === undefined || revisions === undefined) return { sidecarSet };
  const { name = "" } = sidecarSet.metadata;
  try {
    const good = sidecarSet.status?.lastGoodRevision;
    const used = (): ReadonlySet<string> => usedRevisions(podsOf(name), name, good === undefined ? [] : [good]);
    const current = await revisions.sync(sidecarSet, used, signal);
    const { latest: latestRevision, collisionCount } = current;
    const { status } = sidecarSet;
    if (status?.latestRevision === latestRevision && status.collisionCount === collisionCount) return { sidecarSet };
    const counters = { matchedPods: 0, updatedPods: 0, readyPods: 0 };
    return { sidecarSet: { ...sidecarSet, status: { ...counters, ...status, latestRevision, collisionCount } } };
  } catch (problem) {
    // What it was recorded as before says nothing about what it is now.
    const { latestRevision: _before, ...status } = sidecarSet.status ?? {};
    return { sidecarSet: { ...sidecarSet, status: status as SidecarSetStatus }, problem };
  }
}
