// SPDX-License-Identifier: Apache-2.0
import { pairNames, type SidecarContainer, type SidecarSet } from "@hot/spec";
import type { PodSight, Sight } from "./decision.ts";
import { hotPairs, isHot, rolesOf } from "./hot-pair.ts";
import { consistent } from "./in-place-state.ts";
import type { PodProjection } from "./pod-projection.ts";
import { hashOf, podHash, upgradable } from "./upgradable.ts";

/** Reads what is the case in a pod. */
export function seePod(pod: PodProjection, sidecarSet: SidecarSet | undefined, { name, pending }: Sight): PodSight {
  const pairs = hotPairs(pod, name, sidecarSet);
  const containers = sidecarSet?.spec.containers ?? [];
  const roles = pairs.map((pair) => rolesOf(pair));
  const names = [...containers.flatMap(containerNames), ...pairs.flatMap((pair) => pairNames(pair.base))];
  const running = pod.phase === "Running" && pod.ready && !pod.deleting;
  return {
    pod,
    pairs,
    // By the hash alone: the images that a pod was given may be others by now, since admission webhooks change them.
    updated: sidecarSet !== undefined && podHash(pod, name) === hashOf(sidecarSet),
    upgradable: sidecarSet !== undefined && upgradable(pod, sidecarSet, pairs),
    ready: running && roles.every((one) => one.state === "settled") && consistent(pod, name, new Set(names), pairs),
    upgrading: roles.some((one) => one.state === "upgrading") || pending.get(pod.uid) === "upgrade",
  };
}

/** Names that a sidecar container has in pods. */
export function containerNames(container: SidecarContainer): string[] {
  return isHot(container) ? pairNames(container.name) : [container.name];
}
