// SPDX-License-Identifier: Apache-2.0
import { matchesSelector, type UpdateStrategy } from "@hot/spec";
import type { PodFacts } from "./decision.ts";
import { reportOn } from "./pod-report.ts";

/**
 * What a pod has in common with those that a plan need not tell apart: all that is counted. Undefined for one that is
 * looked at by itself: something is to be done or said about it, or it depends on the time.
 */
export function kindOf(facts: PodFacts, strategy: UpdateStrategy | undefined): string | undefined {
  const { decision, updated, ready, upgrading, holdsUnit } = facts;
  const isStill =
    decision.do !== "write" &&
    decision.do !== "candidate" &&
    facts.holdsUntil === undefined &&
    facts.receipts.length === 0 &&
    facts.failed === undefined &&
    facts.failing === undefined &&
    facts.upgradableMessage === undefined;
  if (!isStill) return undefined;
  const counted = [updated, ready, upgrading, holdsUnit, isInScope(facts, strategy?.selector)].map(Number);
  return `${reportOn(facts, true).reason} ${counted.join("")}`;
}

/** Whether the SidecarSet wants anything of a pod, or has had it. */
export function isInScope({ pod, updated }: PodFacts, selector: UpdateStrategy["selector"]): boolean {
  return updated || selector === undefined || matchesSelector(selector, pod.labels);
}
