// SPDX-License-Identifier: Apache-2.0
import {
  HASH_ANNOTATION,
  INJECTED_LIST_ANNOTATION,
  RETRY_ANNOTATION,
  VERSION_ANNOTATION_PREFIX,
  type Pod,
  type SidecarSet,
} from "@hot/spec";
import type { PodProjection } from "../../src/index.ts";
import type { Cluster } from "./cluster.ts";
import { SLOW_CALL } from "./faults.ts";
import type { PairFacts } from "./pod-facts.ts";
import type { Replica } from "./replica.ts";
import type { World } from "./world.ts";

/** One write of a pod: who sent it, what that one knew, and what it did. */
export interface Write {
  readonly replica: Replica;
  readonly key: string;
  /** What the replica knew of each SidecarSet when it sent the write. */
  readonly knew: ReadonlyMap<string, Knowledge>;
  readonly before: Pod;
  readonly after: Pod;
}

interface Knowledge {
  readonly sidecarSet: SidecarSet | undefined;
  /** Pods that have failed for that generation. */
  readonly failed: number;
  /** Others that stay old, or of which it has heard just now that they are gone or upgraded by Kruise; and all. */
  readonly old: number;
  readonly total: number;
}

/**
 * What is heard within this time before a write is sent, in milliseconds, of what others have done to other pods, the plan
 * need not know: it is good for 250 ms, and then the pod may have to be read once.
 */
export const PLAN_AGE = 250 + 2 * 10;

/** What a replica knows of a SidecarSet as it sends a write of a pod. */
export function knowledgeOf(world: World, cluster: Cluster, replica: Replica, name: string, key: string): Knowledge {
  const sidecarSet = replica.knownSidecarSet(name);
  const isOwn = ({ annotations }: PodProjection): boolean =>
    (annotations[INJECTED_LIST_ANNOTATION] ?? "").split(",").includes(name);
  const hash = `"${sidecarSet?.metadata.annotations?.[HASH_ANNOTATION] ?? ""}"`;
  const { scheduler, isSlow } = world;
  const plannedAfter = scheduler.now - PLAN_AGE - (isSlow ? 2 * SLOW_CALL : 0);
  const isOld = (pod: PodProjection): boolean => {
    const other = `${pod.namespace}/${pod.name}`;
    if (other === key) return false;
    const byKruise = [...(cluster.machines.get(other)?.byKruise ?? [])];
    const isByKruise = byKruise.some(
      ([side, version]) => pod.annotations[VERSION_ANNOTATION_PREFIX + side] === version,
    );
    const isNews = isByKruise && replica.heardAt(other) >= plannedAfter;
    return isNews || !(pod.annotations[HASH_ANNOTATION] ?? "").includes(hash);
  };
  const pods = replica.knownSince(plannedAfter).filter(isOwn);
  return {
    sidecarSet,
    failed: replica.pods.store.list().filter((pod) => isOwn(pod) && isFailure(pod.annotations, sidecarSet, pod.retry))
      .length,
    old: pods.filter(isOld).length,
    total: pods.length,
  };
}

function isFailure(
  annotations: Readonly<Record<string, string>>,
  sidecarSet: SidecarSet | undefined,
  podRetry = "",
): boolean {
  const hash = sidecarSet?.metadata.annotations?.[HASH_ANNOTATION];
  return Object.entries(annotations).some(([key, text]) => {
    if (!key.startsWith("upgrade.hot.internal/")) return false;
    const { failed } = JSON.parse(text) as { failed?: FailureFacts };
    return (
      failed?.hash === hash &&
      failed?.generation === sidecarSet?.metadata.generation &&
      (failed?.retry ?? "") === (sidecarSet?.metadata.annotations?.[RETRY_ANNOTATION] ?? "") &&
      (failed?.podRetry ?? "") === podRetry
    );
  });
}

type FailureFacts = NonNullable<NonNullable<PairFacts["record"]>["failed"]>;
