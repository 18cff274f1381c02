// SPDX-License-Identifier: Apache-2.0
import { prepareSidecarSets, type PreparedSidecarSets } from "@hot/inject";
import type { SidecarSet } from "@hot/spec";

/**
 * Prepares SidecarSets again only when one of them changed. A store makes a new list for every call, and replaces an
 * object when it changes: so the objects are compared, not the lists.
 */
export function keepPrepared(): (sidecarSets: readonly SidecarSet[]) => PreparedSidecarSets {
  let kept = prepareSidecarSets([]);
  return (sidecarSets) => {
    if (!kept.isOf(sidecarSets)) kept = prepareSidecarSets(sidecarSets);
    return kept;
  };
}
