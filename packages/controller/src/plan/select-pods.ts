// SPDX-License-Identifier: Apache-2.0
import { INJECTED_LIST_ANNOTATION, matchesSelector, pairNames, selectorIsEmpty, type SidecarSet } from "@hot/spec";
import { isHot, readPair, rolesOf } from "./hot-pair.ts";
import type { PodProjection } from "./pod-projection.ts";
import { recordedBases } from "./record.ts";

/** Labels of a namespace; undefined if it is not known. */
export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined;

/** Finished pods and pods that are being deleted are dropped from all accounting at once. */
export function isActive(pod: PodProjection): boolean {
  return !pod.deleting && pod.phase !== "Succeeded" && pod.phase !== "Failed";
}

/** Whether a SidecarSet manages a pod: active, matched by both selectors, injected, and with all containers. */
export function isMatched(pod: PodProjection, sidecarSet: SidecarSet, namespaces: NamespaceLabels): boolean {
  const { selector, namespaceSelector } = sidecarSet.spec;
  return (
    isActive(pod) &&
    injectedBy(pod).includes(sidecarSet.metadata.name ?? "") &&
    !selectorIsEmpty(selector) &&
    matchesSelector(selector, pod.labels) &&
    (namespaceSelector === undefined || matchesSelector(namespaceSelector, namespaces(pod.namespace))) &&
    hasContainers(pod, sidecarSet)
  );
}

function hasContainers(pod: PodProjection, sidecarSet: SidecarSet): boolean {
  const present = new Set(pod.containers.map((one) => one.name));
  return (sidecarSet.spec.containers ?? []).every((one) =>
    (isHot(one) ? pairNames(one.name) : [one.name]).every((name) => present.has(name)),
  );
}

/** Whether an upgrade of this SidecarSet has to be finished in a pod, whatever the selectors say now. */
export function isUnfinished(pod: PodProjection, name: string): boolean {
  if (!isActive(pod)) return false;
  return recordedBases(pod.annotations, name).some((base) => {
    const pair = readPair(pod, base);
    return pair !== undefined && rolesOf(pair).state !== "settled";
  });
}

/** Names of the SidecarSets that injected a pod. */
export function injectedBy(pod: PodProjection): string[] {
  return (pod.annotations[INJECTED_LIST_ANNOTATION] ?? "").split(",").filter((name) => name !== "");
}
