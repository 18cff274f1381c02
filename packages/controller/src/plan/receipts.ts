// SPDX-License-Identifier: Apache-2.0
import { rolesOf, type HotPair } from "./hot-pair.ts";
import type { PodFacts } from "./decision.ts";
import type { PodProjection } from "./pod-projection.ts";
import { receiptOf } from "./pod-state.ts";
import type { ReceiptTimes } from "./snapshot.ts";

export interface FreshReceipt {
  readonly pod: PodProjection;
  readonly pair: HotPair;
  readonly container: string;
}

/** Carries the receipts over from plan to plan: those that still stand keep their time, others are forgotten. */
export function receiptsOf(
  all: readonly PodFacts[],
  before: ReceiptTimes,
  now: number,
): { times: ReceiptTimes; fresh: FreshReceipt[]; wakeAt: number | undefined } {
  const times = new Map<string, number>();
  const fresh: FreshReceipt[] = [];
  let wakeAt: number | undefined;
  for (const { pod, pairs } of all) {
    for (const pair of pairs) {
      const roles = rolesOf(pair);
      if (roles.state !== "upgrading" || roles.record === undefined) continue;
      const receipt = receiptOf(pod, roles.target, roles.record, before, now);
      if (receipt.state === "none") continue;
      times.set(receipt.key, receipt.since);
      if (!before.has(receipt.key)) fresh.push({ pod, pair, container: roles.target.container.name });
      if (receipt.state !== "complete") wakeAt = Math.min(wakeAt ?? receipt.until, receipt.until);
    }
  }
  return { times, fresh, wakeAt };
}
