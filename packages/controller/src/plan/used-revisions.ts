// SPDX-License-Identifier: Apache-2.0
import type { PodProjection } from "./pod-projection.ts";
import { recordsOf } from "./record.ts";
import { podRevision } from "./upgradable.ts";

/**
 * The revisions of a SidecarSet that pods were injected with or updated to, those that an abort would take them back to,
 * and others that are needed.
 */
export function usedRevisions(
  pods: readonly PodProjection[],
  name: string,
  others: readonly string[] = [],
): ReadonlySet<string> {
  const ofPods = pods.flatMap((pod) => [podRevision(pod, name) ?? [], previousOf(pod, name)].flat());
  return new Set([...ofPods, ...others]);
}

function previousOf({ annotations }: PodProjection, name: string): string[] {
  return [...recordsOf(annotations).values()].flatMap(({ sidecarSet, phase, prevRevision }) =>
    sidecarSet === name && phase === "upgrade" ? (prevRevision ?? []) : [],
  );
}
