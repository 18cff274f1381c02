// SPDX-License-Identifier: Apache-2.0
import type { Container, LabelSelector, ObjectMeta, Pod } from "@hot/spec";
import { createHash } from "node:crypto";

/** The part of `apps/v1` Deployment that the workload loop reads and writes. */
export interface Deployment {
  metadata: ObjectMeta;
  spec: {
    replicas?: number;
    paused?: boolean;
    minReadySeconds?: number;
    selector: LabelSelector;
    template: { metadata?: ObjectMeta; spec: { containers: Container[]; [field: string]: unknown } };
  };
  status?: DeploymentStatus;
}

export interface DeploymentStatus {
  observedGeneration?: number;
  replicas?: number;
  updatedReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  unavailableReplicas?: number;
  conditions?: DeploymentCondition[];
}

export interface DeploymentCondition {
  type: string;
  status: "True" | "False";
  reason: string;
  message: string;
  lastUpdateTime: string;
  lastTransitionTime: string;
}

export const TEMPLATE_HASH_LABEL = "pod-template-hash";

/** What to do next for one Deployment: pods to create and pods to delete. */
export interface DeploymentPlan {
  create: number;
  remove: Pod[];
}

/** Ten characters that are the same for the same template, whatever the order of its fields. */
export function templateHash(deployment: Deployment): string {
  const letters = "bcdfghjklmnpqrstvwxz2456789";
  const digest = createHash("sha256").update(canonical(deployment.spec.template)).digest();
  return [...digest.subarray(0, 10)].map((byte) => letters[byte % letters.length]).join("");
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

export const isActive = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp === undefined && pod.status?.phase !== "Failed" && pod.status?.phase !== "Succeeded";

export function isReady(pod: Pod): boolean {
  return (
    isActive(pod) && (pod.status?.conditions ?? []).some(({ type, status }) => type === "Ready" && status === "True")
  );
}

/** Ready for at least `minReadySeconds`. */
export function isAvailable(pod: Pod, minReadySeconds: number, now: Date): boolean {
  const since = pod.status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime;
  return isReady(pod) && (minReadySeconds === 0 || now.getTime() - Date.parse(since ?? "") >= minReadySeconds * 1000);
}

/**
 * Decides from a Deployment and its own pods. Pods of an older template are replaced one at a time: one new pod above
 * the wished number, and an old one goes when enough pods are available without it. So at no time are fewer pods
 * available than wished because of the replacement.
 */
export function planDeployment(deployment: Deployment, pods: readonly Pod[], now: Date): DeploymentPlan {
  const { replicas = 1, minReadySeconds = 0, paused = false } = deployment.spec;
  const hash = templateHash(deployment);
  const active = pods.filter(isActive);
  const current = active.filter((pod) => pod.metadata.labels?.[TEMPLATE_HASH_LABEL] === hash);
  const old = active.filter((pod) => !current.includes(pod));
  const available = (pod: Pod): boolean => isAvailable(pod, minReadySeconds, now);
  const order = (list: readonly Pod[]): Pod[] =>
    [...list].sort((a, b) => Number(available(a)) - Number(available(b)) || later(b, a));
  if (paused && old.length > 0)
    return { create: 0, remove: order(active).slice(0, Math.max(0, active.length - replicas)) };
  const surge = old.length > 0 && replicas > 0 ? 1 : 0;
  const create = Math.max(0, Math.min(replicas - current.length, replicas + surge - active.length));
  const surplus = order(current).slice(0, Math.max(0, current.length - replicas));
  const spare = Math.max(0, active.filter(available).length - replicas);
  const unavailable = order(old).filter((pod) => !available(pod));
  const replaced = order(old).filter(available).slice(0, spare);
  return { create, remove: [...surplus, ...unavailable, ...replaced] };
}

/** Newest first: they have done the least. */
const later = (a: Pod, b: Pod): number =>
  Date.parse(a.metadata.creationTimestamp ?? "") - Date.parse(b.metadata.creationTimestamp ?? "") ||
  (String(a.metadata.name) < String(b.metadata.name) ? -1 : 1);

/** The pod to create: the template, its hash as a label, and the Deployment as the controlling owner. */
export function podOf(deployment: Deployment): Pod {
  const { name = "", uid = "" } = deployment.metadata;
  const hash = templateHash(deployment);
  const { metadata = {}, spec } = deployment.spec.template;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: `${name}-${hash}-`,
      labels: { ...metadata.labels, [TEMPLATE_HASH_LABEL]: hash },
      ...(metadata.annotations ? { annotations: metadata.annotations } : {}),
      ownerReferences: [
        { apiVersion: "apps/v1", kind: "Deployment", name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    spec,
  };
}
