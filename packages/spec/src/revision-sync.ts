// SPDX-License-Identifier: Apache-2.0
import { CUSTOM_VERSION_LABEL, REVISION_OWNER_LABEL } from "./names.ts";
import { canonicalJson, newRevision, revisionData } from "./revision.ts";
import type { ControllerRevision, SidecarSet } from "./sidecar-set.ts";

export interface RevisionSyncInput {
  sidecarSet: SidecarSet;
  /** Everything in `namespace`, also of other owners: a name can be taken by them. */
  existing: readonly ControllerRevision[];
  /** Names in the records of matched pods; they are never deleted. */
  usedByPods: ReadonlySet<string>;
  namespace: string;
}

/** What to write so that the history ends with the SidecarSet as it is. Nothing is to be done for absent members. */
export interface RevisionSync {
  create?: ControllerRevision;
  /** An older revision has this content, or the newest number is there twice: it becomes the newest. */
  renumber?: { name: string; revision: number };
  /** The custom version of a revision that exists has changed. */
  relabel?: { name: string; customVersion: string };
  /** Names, oldest first; what a pod or `spec.injectionStrategy` uses stays, even above the limit. */
  delete: string[];
  /** For `status.latestRevision`. */
  latest: string;
  /** For `status.collisionCount`. */
  collisionCount: number;
}

const DEFAULT_LIMIT = 10;

/** Plans one step of the history as Kruise does; contents are compared as JSON values. */
export function syncRevisions({ sidecarSet, existing, usedByPods, namespace }: RevisionSyncInput): RevisionSync {
  const history = existing.filter((one) => isOwn(one, sidecarSet)).sort(byAge);
  const newest = history.at(-1);
  const data = revisionData(sidecarSet);
  const current = history.findLast((one) => canonicalJson(one.data) === data);
  const next = (newest?.revision ?? 0) + 1;
  const result: RevisionSync = {
    delete: [],
    latest: current?.metadata.name ?? "",
    collisionCount: sidecarSet.status?.collisionCount ?? 0,
  };
  let kept = history;
  if (current === undefined) {
    const { created, collisionCount } = create(sidecarSet, existing, namespace, next);
    result.collisionCount = collisionCount;
    result.latest = nameOf(created);
    if (!existing.includes(created)) result.create = created;
    kept = [...history.filter((one) => one !== created), created];
  } else {
    // Of two leaders at once each may have created a revision with the next number.
    const isShared = history.at(-2)?.revision === newest?.revision;
    if (current !== newest || isShared) result.renumber = { name: nameOf(current), revision: next };
    kept = [...history.filter((one) => one !== current), relabelled(current, sidecarSet, result)];
  }
  result.delete = surplus(kept, sidecarSet, usedByPods);
  return result;
}

/** Labelled with our name and owned by this very object or by nobody. */
function isOwn({ metadata }: ControllerRevision, sidecarSet: SidecarSet): boolean {
  const owner = metadata.ownerReferences?.find((one) => one.controller === true);
  return (
    metadata.labels?.[REVISION_OWNER_LABEL] === sidecarSet.metadata.name &&
    (owner === undefined || owner.uid === sidecarSet.metadata.uid)
  );
}

function byAge(a: ControllerRevision, b: ControllerRevision): number {
  return a.revision - b.revision || (nameOf(a) < nameOf(b) ? -1 : 1);
}

/** The revision with the first name that is free, or taken by equal data. Its hash label is that of the first try. */
function create(
  sidecarSet: SidecarSet,
  existing: readonly ControllerRevision[],
  namespace: string,
  revision: number,
): { created: ControllerRevision; collisionCount: number } {
  let collisionCount = sidecarSet.status?.collisionCount ?? 0;
  const first = newRevision(sidecarSet, { namespace, revision, collisionCount });
  for (; ; collisionCount++) {
    const { metadata } = newRevision(sidecarSet, { namespace, revision, collisionCount });
    const taken = existing.find((one) => nameOf(one) === metadata.name);
    if (taken === undefined) {
      return { created: { ...first, metadata: { ...first.metadata, name: metadata.name ?? "" } }, collisionCount };
    }
    if (canonicalJson(taken.data) === canonicalJson(first.data)) return { created: taken, collisionCount };
  }
}

function relabelled(current: ControllerRevision, { spec }: SidecarSet, result: RevisionSync): ControllerRevision {
  const { customVersion = "" } = spec;
  const { labels } = current.metadata;
  if (customVersion === "" || labels?.[CUSTOM_VERSION_LABEL] === customVersion) return current;
  result.relabel = { name: nameOf(current), customVersion };
  return {
    ...current,
    metadata: { ...current.metadata, labels: { ...labels, [CUSTOM_VERSION_LABEL]: customVersion } },
  };
}

/** @param kept - oldest first; the last one is the latest */
function surplus(kept: readonly ControllerRevision[], { spec }: SidecarSet, usedByPods: ReadonlySet<string>): string[] {
  const limit = Math.max(1, spec.revisionHistoryLimit ?? DEFAULT_LIMIT);
  const { revisionName: wanted, customVersion } = spec.injectionStrategy?.revision ?? {};
  const injected =
    wanted ??
    (customVersion === undefined
      ? undefined
      : kept.findLast((one) => one.metadata.labels?.[CUSTOM_VERSION_LABEL] === customVersion)?.metadata.name);
  const deletable = kept
    .slice(0, -1)
    .map(nameOf)
    .filter((name) => name !== injected && !usedByPods.has(name));
  return deletable.slice(0, Math.max(0, kept.length - limit));
}

function nameOf({ metadata }: ControllerRevision): string {
  return metadata.name ?? "";
}
