// SPDX-License-Identifier: Apache-2.0
import type { Pod } from "@hot/spec";
import {
  type Deployment,
  type DeploymentCondition,
  type DeploymentStatus,
  isActive,
  isAvailable,
  isReady,
  TEMPLATE_HASH_LABEL,
  templateHash,
} from "./deployment.ts";

interface Wish {
  type: string;
  holds: boolean;
  reason: string;
  message: string;
}

/** The status as `kubectl get`, `rollout status` and `wait --for=condition=Available` read it. */
export function statusOf(
  deployment: Deployment,
  pods: readonly Pod[],
  now: Date,
  createError: string | undefined,
): DeploymentStatus {
  const { replicas = 1, minReadySeconds = 0 } = deployment.spec;
  const name = deployment.metadata.name ?? "";
  const hash = templateHash(deployment);
  const active = pods.filter(isActive);
  const updated = active.filter((pod) => pod.metadata.labels?.[TEMPLATE_HASH_LABEL] === hash);
  const available = active.filter((pod) => isAvailable(pod, minReadySeconds, now)).length;
  const complete = updated.length === replicas && active.length === replicas && available === replicas;
  const wishes: Wish[] = [
    available >= replicas - Math.floor(replicas / 4)
      ? {
          type: "Available",
          holds: true,
          reason: "MinimumReplicasAvailable",
          message: "Deployment has minimum availability.",
        }
      : {
          type: "Available",
          holds: false,
          reason: "MinimumReplicasUnavailable",
          message: "Deployment does not have minimum availability.",
        },
    complete
      ? {
          type: "Progressing",
          holds: true,
          reason: "NewReplicaSetAvailable",
          message: `Deployment "${name}" has successfully progressed.`,
        }
      : {
          type: "Progressing",
          holds: true,
          reason: "ReplicaSetUpdated",
          message: `Deployment "${name}" is progressing.`,
        },
    ...(createError === undefined
      ? []
      : [{ type: "ReplicaFailure", holds: true, reason: "FailedCreate", message: createError }]),
  ];
  return {
    ...(deployment.metadata.generation === undefined ? {} : { observedGeneration: deployment.metadata.generation }),
    replicas: active.length,
    updatedReplicas: updated.length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: available,
    unavailableReplicas: Math.max(0, replicas - available),
    conditions: wishes.map((wish) => condition(wish, deployment.status?.conditions ?? [], now)),
  };
}

/** Keeps the times of a condition that says the same as before. */
function condition(
  { type, holds, reason, message }: Wish,
  before: DeploymentCondition[],
  now: Date,
): DeploymentCondition {
  const status = holds ? "True" : "False";
  const old = before.find((one) => one.type === type);
  const time = `${now.toISOString().slice(0, 19)}Z`;
  if (old && old.status === status && old.reason === reason && old.message === message) return old;
  return {
    type,
    status,
    reason,
    message,
    lastUpdateTime: time,
    lastTransitionTime: old?.status === status ? old.lastTransitionTime : time,
  };
}
