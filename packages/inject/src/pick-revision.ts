// SPDX-License-Identifier: Apache-2.0
import {
  CUSTOM_VERSION_LABEL,
  HASH_ANNOTATION,
  matchesSelector,
  REVISION_OWNER_LABEL,
  scaleIntOrPercent,
  type ControllerRevision,
  type Pod,
  type SidecarSet,
} from "@hot/spec";
import { lastGoodRevision } from "./last-good-revision.ts";
import { hashesOf, parseHashes } from "./record.ts";
import { InjectionDenied } from "./report.ts";
import { restoreRevision } from "./restore-revision.ts";

/** The SidecarSet that a pod gets. */
export interface Picked {
  readonly sidecarSet: SidecarSet;
  /** A remark for the person who creates the pod. */
  readonly warning?: string;
}

/**
 * The SidecarSet that a pod gets: the live one, or in its place the revision of `spec.injectionStrategy.revision`, or
 * else the last good one of a rollout that is stalled, if that is wished.
 * A pod that carries this SidecarSet's record already keeps what was chosen for it.
 *
 * @param random - in [0, 1); decides under policy `Partial` with a percentage as partition
 * @throws {InjectionDenied} when the revision does not exist, belongs to another SidecarSet or can't be restored
 */
export function pickRevision(
  sidecarSet: SidecarSet,
  pod: Pod,
  revisions: readonly ControllerRevision[],
  random: number,
): Picked {
  const { revisionName, customVersion } = sidecarSet.spec.injectionStrategy?.revision ?? {};
  if (revisionName === undefined && customVersion === undefined) return pickStalled(sidecarSet, pod, revisions);
  const revision = findRevision(sidecarSet, revisions);
  if (revision === undefined) {
    const wanted = revisionName === undefined ? `custom version ${customVersion}` : `name ${revisionName}`;
    throw badRevision(sidecarSet, `has no revision with the ${wanted}`);
  }
  const restored = restoreRevision(sidecarSet, revision);
  if (restored === undefined)
    throw badRevision(sidecarSet, `can't restore the data of revision ${revision.metadata.name}`);
  return { sidecarSet: getsRevision(sidecarSet, restored, pod, random) ? restored : sidecarSet };
}

function pickStalled(live: SidecarSet, pod: Pod, revisions: readonly ControllerRevision[]): Picked {
  const instead = lastGoodRevision(live, revisions);
  if (instead === undefined) return { sidecarSet: live };
  const { restored, warning } = instead;
  if (restored !== undefined && chosenBefore(live, restored, pod) === false) return { sidecarSet: live };
  return { sidecarSet: restored ?? live, warning };
}

/**
 * By name, which wins, or the newest with the custom version: the one that the history keeps, should a number be there
 * twice. A revision of another SidecarSet is not found.
 */
function findRevision(
  { metadata, spec }: SidecarSet,
  revisions: readonly ControllerRevision[],
): ControllerRevision | undefined {
  const { revisionName, customVersion } = spec.injectionStrategy?.revision ?? {};
  const own = revisions.filter((one) => one.metadata.labels?.[REVISION_OWNER_LABEL] === metadata.name);
  if (revisionName !== undefined) return own.find((one) => one.metadata.name === revisionName);
  return own
    .filter((one) => one.metadata.labels?.[CUSTOM_VERSION_LABEL] === customVersion)
    .sort((a, b) => b.revision - a.revision || ((a.metadata.name ?? "") > (b.metadata.name ?? "") ? -1 : 1))[0];
}

function getsRevision(live: SidecarSet, restored: SidecarSet, pod: Pod, random: number): boolean {
  const { updateStrategy, injectionStrategy } = live.spec;
  if (updateStrategy?.paused === true || injectionStrategy?.revision?.policy !== "Partial") return true;
  const { selector, partition } = updateStrategy ?? {};
  if (selector !== undefined && !matchesSelector(selector, pod.metadata.labels)) return true;
  if (partition === undefined || typeof partition === "number") return false;
  const percent = scaleIntOrPercent(partition, 100, false);
  if (percent === undefined) {
    throw badRevision(live, `can't choose between live and revision: partition ${partition} is no percentage`);
  }
  return chosenBefore(live, restored, pod) ?? random * 100 < percent;
}

/** What an earlier injection of this pod has chosen, by its record. */
function chosenBefore(live: SidecarSet, restored: SidecarSet, pod: Pod): boolean | undefined {
  const name = live.metadata.name ?? "";
  const entries = parseHashes(pod.metadata.annotations?.[HASH_ANNOTATION]) ?? {};
  const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
  if (entry?.hash === undefined) return undefined;
  const isRestored = entry.hash === hashesOf(restored).hash;
  if (isRestored && entry.controllerRevision === restored.status?.latestRevision) return true;
  return entry.hash === hashesOf(live).hash ? false : undefined;
}

function badRevision({ metadata }: SidecarSet, problem: string): InjectionDenied {
  const name = metadata.name ?? "";
  return new InjectionDenied(name, "BadRevision", `SidecarSet ${name}, spec.injectionStrategy.revision: ${problem}`);
}
