// SPDX-License-Identifier: Apache-2.0
import type { UpdateStrategy } from "@hot/spec";
import { byRanks } from "./by-ranks.ts";
import { byPriority } from "./priority.ts";
import type { PodProjection } from "./pod-projection.ts";
import { scattered } from "./scatter.ts";

const PHASES = ["Pending", "Unknown", "Running"];

/**
 * Kubernetes' order of pods that are easiest to lose, as Kruise uses it: not assigned, not running, not ready, ready for
 * the shortest time, restarted most often, youngest. One without a time counts as ready the longest.
 */
function ranksOf(pod: PodProjection): number[] {
  return [
    Number(pod.nodeName !== ""),
    PHASES.indexOf(pod.phase),
    Number(pod.ready),
    pod.ready ? -(pod.readyAt ?? 0) : 0,
    -restarts(pod),
    -pod.createdAt,
  ];
}

/** Makes the order total: the same pods give the same order in every controller. */
function byName(a: PodProjection, b: PodProjection): number {
  return byText(a.namespace, b.namespace) || byText(a.name, b.name);
}

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
  const sorted = byRanks(
    items,
    ({ pod }) => ranksOf(pod),
    (a, b) => byName(a.pod, b.pod),
  );
  return scattered(byPriority(sorted, strategy.priorityStrategy), strategy.scatterStrategy ?? [], all);
}

function restarts(pod: PodProjection): number {
  return Math.max(0, ...pod.containers.map((one) => one.status?.restartCount ?? 0));
}

function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
