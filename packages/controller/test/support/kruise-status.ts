// SPDX-License-Identifier: Apache-2.0

/** The fields of a status that Kruise's own definition of SidecarSets keeps. */
export const KRUISE_STATUS: ReadonlySet<string> = new Set([
  "observedGeneration",
  "matchedPods",
  "updatedPods",
  "readyPods",
  "updatedReadyPods",
  "latestRevision",
  "collisionCount",
]);
