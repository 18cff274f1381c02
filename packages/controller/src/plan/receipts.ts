// SPDX-License-Identifier: Apache-2.0
import { rolesOf, type HotPair } from "./hot-pair.ts";
import type { KnownReceipt, PodFacts, Sight } from "./decision.ts";
import { earliest } from "./earliest.ts";
import type { PodProjection } from "./pod-projection.ts";
import { receiptOf } from "./pod-state.ts";
import type { ReceiptTimes } from "./snapshot.ts";

export interface FreshReceipt {
  readonly pod: PodProjection;
  readonly container: string;
}

/** The receipt that the new side of a pair has, if it is upgrading. */
export function knownReceipt(
  pod: PodProjection,
  pair: HotPair,
  { receipts, now }: Pick<Sight, "receipts" | "now">,
): KnownReceipt | undefined {
  const roles = rolesOf(pair);
  if (roles.state !== "upgrading" || roles.record === undefined) return undefined;
  const receipt = receiptOf(pod, roles.target, roles.record, receipts, now);
  if (receipt.state === "none") return undefined;
  const { key, since } = receipt;
  const container = roles.target.container.name;
  return { container, key, since, ...(receipt.state !== "complete" && { until: receipt.until }) };
}

/** Carries the receipts over from plan to plan: those that still stand keep their time, others are forgotten. */
export function receiptsOf(
  all: readonly PodFacts[],
  before: ReceiptTimes,
): { times: ReceiptTimes; fresh: FreshReceipt[]; wakeAt: number | undefined } {
  const some = all.filter(({ receipts }) => receipts.length > 0);
  const known = some.flatMap(({ pod, receipts }) => receipts.map((receipt) => ({ pod, receipt })));
  return {
    times: new Map(known.map(({ receipt }) => [receipt.key, receipt.since])),
    fresh: known
      .filter(({ receipt }) => !before.has(receipt.key))
      .map(({ pod, receipt }) => ({ pod, container: receipt.container })),
    wakeAt: earliest(known.map(({ receipt }) => receipt.until)),
  };
}
