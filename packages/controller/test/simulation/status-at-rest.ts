// SPDX-License-Identifier: Apache-2.0
import { findCondition, type Pod, type SidecarSet } from "@hot/spec";
import type { Cluster } from "./cluster.ts";
import { isDown, isHalfDone, isReady, isUpdated } from "./pod-truth.ts";
import type { Scope } from "./scope.ts";

/** Ready and the counters, where no container comes and goes. */
export function statusProblem(
  sidecarSet: SidecarSet,
  pods: readonly Pod[],
  scope: Scope,
  cluster: Cluster,
): string | undefined {
  if (pods.some((pod) => isDown(pod, cluster))) return undefined;
  const { status } = sidecarSet;
  const condition = findCondition(status?.conditions, "Ready");
  const { generation = 1 } = sidecarSet.metadata;
  if (condition?.observedGeneration !== generation || status?.observedGeneration !== generation) {
    return `status: of generation ${condition?.observedGeneration}, and it is ${generation}`;
  }
  const updated = pods.filter((pod) => isUpdated(pod, scope, sidecarSet));
  const isDone = (pod: Pod): boolean => isReady(pod) && !isHalfDone(pod, scope);
  const counts = {
    matchedPods: pods.length,
    updatedPods: updated.length,
    readyPods: pods.filter(isDone).length,
    updatedReadyPods: updated.filter(isDone).length,
  };
  for (const [field, count] of Object.entries(counts)) {
    const said = status?.[field as keyof typeof counts];
    if (said !== count) return `status: ${field} ${said}, and it is ${count}`;
  }
  const { partition = 0 } = scope.wish.strategy;
  const wanted = pods.length - Math.min(Number(partition), pods.length);
  const isAllReady = updated.length >= wanted && updated.every(isDone) && pods.every((pod) => !isHalfDone(pod, scope));
  const isGood = isAllReady && updated.length > 0 && status?.failedPods === 0;
  if (isGood && findCondition(status?.conditions, "Stalled")?.status === "True") return "status: ready, and stalled";
  if ((condition.status === "True") !== isAllReady) return `status: Ready ${condition.status}: ${condition.message}`;
  return undefined;
}
