// SPDX-License-Identifier: Apache-2.0
import type { UpdateStrategy } from "@hot/spec";
import { byPriority } from "./priority.ts";
import type { PodProjection } from "./pod-projection.ts";
import { scattered } from "./scatter.ts";

type Compare = (a: PodProjection, b: PodProjection) => number;

const PHASES = ["Pending", "Unknown", "Running"];

/**
 * Kubernetes' order of pods that are easiest to lose, as Kruise uses it, then by name so that it is total: the same
 * pods give the same order in every controller.
 */
const RULES: readonly Compare[] = [
  (a, b) => Number(a.nodeName !== "") - Number(b.nodeName !== ""),
  (a, b) => PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase),
  (a, b) => Number(a.ready) - Number(b.ready),
  (a, b) => (a.ready ? later(a.readyAt, b.readyAt) : 0),
  (a, b) => restarts(b) - restarts(a),
  (a, b) => b.createdAt - a.createdAt,
  (a, b) => byText(a.namespace, b.namespace),
  (a, b) => byText(a.name, b.name),
];

/**
 * The order in which pods are updated: Kubernetes' order, then by priority, then scattered.
 *
 * @param all all matched pods of the SidecarSet; scattering looks at those that are updated too
 */
export function inOrder<T extends { readonly pod: PodProjection }>(
  items: readonly T[],
  strategy: UpdateStrategy = {},
  all: readonly { readonly pod: PodProjection }[] = items,
): T[] {
  const sorted = [...items].sort((a, b) => comparePods(a.pod, b.pod));
  return scattered(byPriority(sorted, strategy.priorityStrategy), strategy.scatterStrategy ?? [], all);
}

function comparePods(a: PodProjection, b: PodProjection): number {
  for (const rule of RULES) {
    const order = rule(a, b);
    if (order !== 0) return order;
  }
  return 0;
}

/** More recently first; one without a time counts as the earliest. */
function later(a = 0, b = 0): number {
  return b - a;
}

function restarts(pod: PodProjection): number {
  return Math.max(0, ...pod.containers.map((one) => one.status?.restartCount ?? 0));
}

function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
