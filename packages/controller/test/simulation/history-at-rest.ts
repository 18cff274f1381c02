// SPDX-License-Identifier: Apache-2.0
import { RESOURCES } from "@hot/kube";
import { REVISION_OWNER_LABEL, revisionData, type ControllerRevision, type SidecarSet } from "@hot/spec";
import { canonicalJson } from "../../../spec/src/revision.ts";
import type { Scope } from "./scope.ts";
import type { World } from "./world.ts";

/** The history ends with the SidecarSet as it is, each number is there once, and what is needed has not been deleted. */
export function historyProblem(
  { server }: World,
  sidecarSet: SidecarSet,
  { wasDeleted }: Scope,
  hadTwoLeaders: boolean,
): string | undefined {
  const { name } = sidecarSet.metadata;
  const all = server.list(RESOURCES.controllerRevisions).items as ControllerRevision[];
  const own = all.filter(({ metadata }) => metadata.labels?.[REVISION_OWNER_LABEL] === name);
  const order = ({ revision, metadata }: ControllerRevision): string =>
    `${String(revision).padStart(6, "0")} ${metadata.name}`;
  const newest = own.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)).at(-1);
  const { latestRevision, lastGoodRevision } = sidecarSet.status ?? {};
  if (newest?.metadata.name !== latestRevision)
    return `history of ${name}: ends with ${newest?.metadata.name}, the status says ${latestRevision}`;
  if (canonicalJson(newest?.data) !== revisionData(sidecarSet))
    return `history of ${name}: does not end with what it is`;
  // Each of two leaders may give the next number, as a creation has no version that would tell the second one. What is
  // newest then gets one of its own; two that have become older in between share theirs.
  const counted = hadTwoLeaders ? own.filter(({ revision }) => revision === newest?.revision) : own;
  if (new Set(counted.map(({ revision }) => revision)).size < counted.length)
    return `history of ${name}: a number is there twice`;
  // The garbage collector takes what an earlier SidecarSet of that name had.
  const isThere =
    wasDeleted || lastGoodRevision === undefined || own.some(({ metadata }) => metadata.name === lastGoodRevision);
  return isThere ? undefined : `history of ${name}: the last good revision ${lastGoodRevision} is gone`;
}
