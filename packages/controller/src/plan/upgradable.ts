// SPDX-License-Identifier: Apache-2.0
import { parseHashes } from "@hot/inject";
import {
  HASH_ANNOTATION,
  HASH_WITHOUT_IMAGE_ANNOTATION,
  sidecarSetHashes,
  type SidecarContainer,
  type SidecarSet,
} from "@hot/spec";
import { isHot, rolesOf, type HotPair } from "./hot-pair.ts";
import type { PodProjection } from "./pod-projection.ts";

/** The SidecarSet's hash: the annotation that the defaulting webhook wrote, or the same computed. */
export function hashOf(sidecarSet: SidecarSet): string {
  return sidecarSet.metadata.annotations?.[HASH_ANNOTATION] ?? sidecarSetHashes(sidecarSet).hash;
}

/** The hash that a pod carries for a SidecarSet; empty if there is none, or if the annotation can't be read. */
export function podHash(pod: PodProjection, name: string, annotation = HASH_ANNOTATION): string {
  return parseHashes(pod.annotations[annotation])?.[name]?.hash ?? "";
}

/** The ControllerRevision that a pod was injected with or last updated to; undefined if it does not say. */
export function podRevision(pod: PodProjection, name: string): string | undefined {
  return parseHashes(pod.annotations[HASH_ANNOTATION])?.[name]?.controllerRevision;
}

/**
 * Whether only images differ between pod and SidecarSet. The empty image is set aside: a pod keeps the one that it was
 * injected with, so the SidecarSet is hashed as if it had the pod's.
 */
export function upgradable(pod: PodProjection, sidecarSet: SidecarSet, pairs: readonly HotPair[]): boolean {
  const name = sidecarSet.metadata.name ?? "";
  const has = podHash(pod, name, HASH_WITHOUT_IMAGE_ANNOTATION);
  if (has === "") return false;
  if (has === sidecarSet.metadata.annotations?.[HASH_WITHOUT_IMAGE_ANNOTATION]) return true;
  const empties = new Map(pairs.flatMap((pair) => emptyOf(pair) ?? []));
  const containers = sidecarSet.spec.containers?.map((one) => withEmptyImage(one, empties.get(one.name)));
  return has === sidecarSetHashes({ spec: { ...sidecarSet.spec, ...(containers && { containers }) } }).hashWithoutImage;
}

function emptyOf(pair: HotPair): [[base: string, image: string]] | undefined {
  const roles = rolesOf(pair);
  const image = roles.state === "settled" ? roles.standby.container.image : pair.record?.empty;
  return image === undefined ? undefined : [[pair.base, image]];
}

function withEmptyImage(container: SidecarContainer, image: string | undefined): SidecarContainer {
  if (image === undefined || !isHot(container)) return container;
  return { ...container, upgradeStrategy: { ...container.upgradeStrategy, hotUpgradeEmptyImage: image } };
}
