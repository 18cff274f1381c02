// SPDX-License-Identifier: Apache-2.0
import { scaleIntOrPercent, type UpdateStrategy } from "@hot/spec";

/** What is known before pods are picked. */
export interface Budget {
  /** Matched pods, the base of percentages. */
  readonly total: number;
  /** Pods that hold a unit of maxUnavailable: being updated, or updated and not ready, writes in flight included. */
  readonly held: number;
}

export interface Picked<T> {
  readonly start: readonly T[];
  readonly partitioned: readonly T[];
  readonly blocked: readonly T[];
}

/** What counts besides numbers. Default: every candidate. */
export interface PickRules<T> {
  /** Others are blocked, whatever the budget says. */
  readonly mayStart?: (candidate: T) => boolean;
  /** Others take no unit, and wait for none. */
  readonly disturbs?: (candidate: T) => boolean;
}

/**
 * Picks from candidates in their order. A pod that is not ready takes no unit; the walk stops at the first ready one for
 * which no unit is left.
 */
export function pick<T extends { readonly pod: { readonly ready: boolean } }>(
  candidates: readonly T[],
  strategy: UpdateStrategy | undefined,
  { total, held }: Budget,
  { mayStart = () => true, disturbs = () => true }: PickRules<T> = {},
): Picked<T> {
  const allowed = Math.max(0, candidates.length - partitionOf(strategy, total));
  const all = candidates.slice(0, allowed);
  const inScope = all.filter(mayStart);
  const limit = maxUnavailableOf(strategy, total);
  let units = held;
  let isOver = false;
  const start = inScope.filter((one) => {
    if (!disturbs(one)) return true;
    isOver ||= one.pod.ready && units >= limit;
    if (one.pod.ready && !isOver) units++;
    return !isOver;
  });
  const starting = new Set(start);
  const blocked = all.filter((one) => !starting.has(one));
  return { start, blocked, partitioned: candidates.slice(allowed) };
}

/** Pods that stay old. A percentage below 100% never holds back every pod; one that can't be read holds back all. */
export function partitionOf(strategy: UpdateStrategy | undefined, total: number): number {
  const partition = strategy?.partition ?? 0;
  const scaled = scaleIntOrPercent(partition, total, true);
  if (scaled === undefined) return total;
  const least = typeof partition === "string" && partition !== "100%" && total > 1 && scaled === total;
  return Math.min(Math.max(least ? total - 1 : scaled, 0), total);
}

/** Percentages round up, so that a small set can move at all; a value that can't be read allows nothing. */
export function maxUnavailableOf(strategy: UpdateStrategy | undefined, total: number): number {
  return Math.max(0, scaleIntOrPercent(strategy?.maxUnavailable ?? 1, total, true) ?? 0);
}

/** Failed pods at which a rollout stalls: at least 1. */
export function failureLimit(strategy: UpdateStrategy | undefined, total: number): number {
  const threshold = strategy?.hotUpgrade?.failureThreshold ?? 1;
  return Math.max(1, scaleIntOrPercent(threshold, total, true) ?? 1);
}
