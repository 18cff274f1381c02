// SPDX-License-Identifier: Apache-2.0
import { hotUpgradePolicy, isStalled, REVISION_OWNER_LABEL, type ControllerRevision, type SidecarSet } from "@hot/spec";
import { hashesOf } from "./record.ts";
import { warning } from "./report.ts";
import { restoreRevision } from "./restore-revision.ts";

/** What a pod gets in place of the live SidecarSet, and a remark for the person who creates it. */
export interface InPlaceOfLive {
  /** Absent: the live one. */
  readonly restored?: SidecarSet;
  readonly warning: string;
}

/**
 * The revision that a new pod gets while the rollout is stalled, where `newPodsWhenStalled` is `LastGood`; undefined
 * where the live SidecarSet is meant. A revision that is gone is no reason to refuse a pod.
 */
export function lastGoodRevision(
  sidecarSet: SidecarSet,
  revisions: readonly ControllerRevision[],
): InPlaceOfLive | undefined {
  if (hotUpgradePolicy(sidecarSet).newPodsWhenStalled !== "LastGood" || !isStalled(sidecarSet)) return undefined;
  const { lastGoodRevision: wanted } = sidecarSet.status ?? {};
  if (wanted === undefined || wanted === "") return undefined;
  const { name = "" } = sidecarSet.metadata;
  const found = revisions.find(
    ({ metadata }) => metadata.name === wanted && metadata.labels?.[REVISION_OWNER_LABEL] === name,
  );
  const restored = found && restoreRevision(sidecarSet, found);
  // Not by its name: where the newest revision could not be recorded, the status still names the one before as the latest.
  if (restored !== undefined && hashesOf(restored).hash === hashesOf(sidecarSet).hash) return undefined;
  if (restored !== undefined)
    return {
      restored,
      warning: warning(
        "LastGoodInjected",
        `SidecarSet ${name} is stalled: the pod got its last good revision ${wanted}`,
      ),
    };
  const problem = found === undefined ? "does not exist" : "can't be restored";
  return {
    warning: warning(
      "LastGoodMissing",
      `SidecarSet ${name} is stalled, and its last good revision ${wanted} ${problem}: the pod got the newest one`,
    ),
  };
}
