// SPDX-License-Identifier: Apache-2.0
import { parseHashes } from "@hot/inject";
import { HASH_ANNOTATION } from "@hot/spec";
import type { PodProjection } from "./pod-projection.ts";

/** The revisions of a SidecarSet that pods were injected with or updated to, and others that are needed. */
export function usedRevisions(
  pods: readonly PodProjection[],
  name: string,
  others: readonly string[] = [],
): ReadonlySet<string> {
  const ofPods = pods.flatMap(({ annotations }) => {
    const entries = parseHashes(annotations[HASH_ANNOTATION]) ?? {};
    const revision = Object.hasOwn(entries, name) ? entries[name]?.controllerRevision : undefined;
    return revision ?? [];
  });
  return new Set([...ofPods, ...others]);
}
