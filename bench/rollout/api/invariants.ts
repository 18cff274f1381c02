// SPDX-License-Identifier: Apache-2.0
import { type Pod } from "@hot/spec";
import {
  isObserved,
  isSeenServing,
  pairFacts,
  type SideFacts,
} from "../../../packages/controller/test/simulation/pod-facts.ts";
import { BASE, EMPTY } from "./objects.ts";

/** A pod as the watch has last shown it, and what must be remembered from its last upgrade. */
export interface Sighting {
  readonly pod: Pod;
  /** ID of the container that the upgrade replaced: the receipt has to be of another one. */
  readonly replaced?: string;
}

/** The next sighting, and which invariants this change of the pod has broken. Holds for consecutive states only. */
export function inspect(before: Sighting | undefined, pod: Pod): { seen: Sighting; violations: string[] } {
  const violations: string[] = [];
  const sides = sidesOf(pod);
  if (sides.every((side) => isEmpty(side))) violations.push("both sides have the empty image");
  violations.push(...wordsOnSettled(pod));
  if (before === undefined || before.pod.metadata.uid !== pod.metadata.uid) return { seen: { pod }, violations };
  if (!isLater(pod, before.pod)) violations.push("the version of the pod went back");
  let { replaced } = before;
  const earlier = sidesOf(before.pod);
  for (const [index, side] of sides.entries()) {
    const [was, sibling] = [earlier[index], earlier[1 - index]];
    if (was === undefined || sibling === undefined || was.image === side.image) continue;
    if (isEmpty(side)) violations.push(...emptied(before, side, sibling));
    else {
      violations.push(...started(before.pod, was, side, sibling));
      replaced = was.status?.containerID ?? "";
    }
  }
  return { seen: { pod, ...(replaced !== undefined && { replaced }) }, violations };
}

/** A side is emptied only after its sibling has shown, with another container than before, that it serves. */
function emptied({ pod, replaced }: Sighting, side: SideFacts, sibling: SideFacts): string[] {
  const isReceipt = isSeenServing(sibling) && isObserved(pod) && sibling.status?.containerID !== replaced;
  return isReceipt ? [] : [`${side.container} is emptied without a receipt of ${sibling.container}`];
}

/** Only a side that was seen empty is started, and its version is above all that the pod has had. */
function started(before: Pod, was: SideFacts, now: SideFacts, sibling: SideFacts): string[] {
  const problems: string[] = [];
  if (!isEmpty(was)) problems.push(`${now.container} gets ${now.image} in place of ${was.image}`);
  else if (!isSeenServing(was) || !isObserved(before)) problems.push(`${now.container} starts, and was not seen empty`);
  if (now.version <= sibling.version) problems.push(`version ${now.version} comes after ${sibling.version}`);
  return problems;
}

/** Once one side serves alone, the annotations say so. */
function wordsOnSettled(pod: Pod): string[] {
  const { serving, working } = pairFacts(pod, BASE);
  if (serving === undefined) return [];
  if (working !== serving.container) return [`${serving.container} serves, and working is ${working}`];
  return serving.alt === "0" ? [] : [`${serving.container} serves with versionalt ${serving.alt}`];
}

function sidesOf(pod: Pod): readonly SideFacts[] {
  return pairFacts(pod, BASE).sides;
}

function isEmpty({ image }: SideFacts): boolean {
  return image === EMPTY;
}

function isLater(after: Pod, before: Pod): boolean {
  return BigInt(after.metadata.resourceVersion ?? "0") > BigInt(before.metadata.resourceVersion ?? "0");
}
