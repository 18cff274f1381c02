// SPDX-License-Identifier: Apache-2.0
import { parseHashes, selectSidecarSets, type PreparedSidecarSets } from "@hot/inject";
import { HASH_ANNOTATION, type SidecarSet } from "@hot/spec";
import { toMillis } from "../instant.ts";
import type { PodProjection } from "./pod-projection.ts";
import { injectedBy, isActive, type NamespaceLabels } from "./select-pods.ts";

type Labels = Readonly<Record<string, string>>;

/** Whether a pod with these labels, in such a namespace, is sent to admission at all when it is created. */
export type IsInjectable = (pod: { namespace: string; labels: Labels }, namespaceLabels: Labels) => boolean;

interface Injection {
  readonly namespaces: NamespaceLabels;
  readonly isInjectable?: IsInjectable | undefined;
  readonly prepared: PreparedSidecarSets;
}

/** The SidecarSets that injection chooses for a pod with these labels. */
export function chosenFor(
  { namespace, labels }: { readonly namespace: string; readonly labels: Labels },
  { namespaces, isInjectable = () => true, prepared }: Injection,
): string[] {
  const own = namespaces(namespace);
  // A namespace that is not known yet may be excluded; it is looked at again when it is known.
  if (own === undefined || !isInjectable({ namespace, labels }, own)) return [];
  return selectSidecarSets(labels, { name: namespace, labels: own }, prepared);
}

export function isChosen(pod: PodProjection, name: string, injection: Injection): boolean {
  return chosenFor(pod, injection).includes(name);
}

/** A pod that would be injected if it were created now and carries no injection of this SidecarSet. */
export function mayLack(pod: PodProjection, name: string): boolean {
  return couldBeInjected(pod) && !carries(pod, name);
}

export function couldBeInjected(pod: PodProjection): boolean {
  return isActive(pod) && pod.mirror === undefined;
}

export function carries(pod: PodProjection, name: string): boolean {
  if (injectedBy(pod).includes(name)) return true;
  const entries = parseHashes(pod.annotations[HASH_ANNOTATION]) ?? {};
  return Object.hasOwn(entries, name);
}

/** Times are whole seconds: of one second, the pod may have come first. */
export function isOlder({ createdAt }: PodProjection, sidecarSet: SidecarSet | undefined): boolean {
  return createdAt <= (toMillis(sidecarSet?.metadata.creationTimestamp) ?? 0);
}
