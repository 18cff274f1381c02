// SPDX-License-Identifier: Apache-2.0
import { INJECTED_LIST_ANNOTATION, matchesSelector, pairNames, selectorIsEmpty, type SidecarSet } from "@hot/spec";
import { hotPairs, isHot, rolesOf, type HotPair } from "./hot-pair.ts";
import type { PodProjection } from "./pod-projection.ts";
import { recordsOf } from "./record.ts";

/** Labels of a namespace; undefined if it is not known. */
export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined;

/** Finished pods and pods that are being deleted are dropped from all accounting at once. */
export function isActive(pod: PodProjection): boolean {
  return !pod.deleting && pod.phase !== "Succeeded" && pod.phase !== "Failed";
}

/** Whether a SidecarSet manages a pod: active, matched by both selectors, injected, and with all containers. */
export function isMatched(pod: PodProjection, sidecarSet: SidecarSet, namespaces: NamespaceLabels): boolean {
  return isChosen(pod, sidecarSet, namespaces) && missingContainers(pod, sidecarSet).length === 0;
}

/** The same but for the containers: it was injected by another SidecarSet of that name, and can't be upgraded. */
export function isLacking(pod: PodProjection, sidecarSet: SidecarSet, namespaces: NamespaceLabels): boolean {
  return isChosen(pod, sidecarSet, namespaces) && missingContainers(pod, sidecarSet).length > 0;
}

function isChosen(pod: PodProjection, sidecarSet: SidecarSet, namespaces: NamespaceLabels): boolean {
  const { selector, namespaceSelector } = sidecarSet.spec;
  return (
    isActive(pod) &&
    injectedBy(pod).includes(sidecarSet.metadata.name ?? "") &&
    !selectorIsEmpty(selector) &&
    matchesSelector(selector, pod.labels) &&
    (namespaceSelector === undefined || matchesSelector(namespaceSelector, namespaces(pod.namespace)))
  );
}

/** Containers of the SidecarSet that a pod has not. */
export function missingContainers(pod: PodProjection, { spec }: SidecarSet): string[] {
  const names = (spec.containers ?? []).flatMap((one) => (isHot(one) ? pairNames(one.name) : [one.name]));
  const present = new Set(pod.containers.map((one) => one.name));
  return names.filter((name) => !present.has(name));
}

/**
 * Matched; or all but matched, since it lacks containers; or not, and an upgrade has to be finished in it; or both of
 * these; or nothing.
 */
export type Place = "matched" | "lacking" | "lingering" | "lackingLingering" | "aside";

/** @param sidecarSet - absent: it is gone */
export function placeOf(
  pod: PodProjection,
  name: string,
  sidecarSet: SidecarSet | undefined,
  namespaces: NamespaceLabels,
): Place {
  if (sidecarSet !== undefined && isChosen(pod, sidecarSet, namespaces)) {
    if (missingContainers(pod, sidecarSet).length === 0) return "matched";
    return isUnfinished(pod, name) ? "lackingLingering" : "lacking";
  }
  return isUnfinished(pod, name) ? "lingering" : "aside";
}

/** Whether an upgrade of this SidecarSet has to be finished in a pod, whatever the selectors say now. */
export function isUnfinished(pod: PodProjection, name: string): boolean {
  if (!isActive(pod)) return false;
  return hotPairs(pod, name, undefined).some((pair) => rolesOf(pair).state === "upgrading" || isTorn(pair));
}

/** Contradictory after an upgrade of ours. Without a record there is nothing to go by. */
function isTorn(pair: HotPair): boolean {
  return pair.record !== undefined && rolesOf(pair).state === "contradictory";
}

/** Far more than a node could run. Whoever creates a pod may write names into it by the ten thousands. */
const MOST_SIDECAR_SETS = 100;

/** Names of the SidecarSets that injected a pod. */
export function injectedBy(pod: PodProjection): string[] {
  const names = (pod.annotations[INJECTED_LIST_ANNOTATION] ?? "").split(",", MOST_SIDECAR_SETS);
  return names.filter((name) => name !== "");
}

/** The SidecarSets whose upgrades the records of a pod describe, and those that injected it. */
export function concernedBy(pod: PodProjection): string[] {
  const recorded = [...recordsOf(pod.annotations).values()].map(({ sidecarSet }) => sidecarSet);
  return [...new Set([...injectedBy(pod), ...recorded])].slice(0, 2 * MOST_SIDECAR_SETS);
}
