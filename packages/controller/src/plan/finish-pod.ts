// SPDX-License-Identifier: Apache-2.0
import type { SidecarSet } from "@hot/spec";
import type { PairState, PodDecision, Sight } from "./decision.ts";
import { failureOf } from "./failure.ts";
import type { PairDecision } from "./hot-upgrade.ts";
import type { PodProjection } from "./pod-projection.ts";
import type { UpgradeRecord } from "./record.ts";
import { repairWrite } from "./repair.ts";
import { hashOf, podHash } from "./upgradable.ts";
import { abortWrite, adoptWrite, resetWrite, type PodWrite } from "./writes.ts";

/**
 * What pairs that are not settled need, before anything new may start in their pod; undefined if all are settled.
 * Pairs that need a write go before pairs that wait.
 */
export function finishPod(
  pod: PodProjection,
  states: readonly PairState[],
  sidecarSet: SidecarSet | undefined,
  sight: Sight,
): PodDecision | undefined {
  const decisions = states.flatMap((state) => pairDecision(pod, state, sidecarSet, sight) ?? []);
  return decisions.find((one) => one.do === "write") ?? decisions.find((one) => one.do === "report") ?? decisions[0];
}

function pairDecision(
  pod: PodProjection,
  { pair, decision }: PairState,
  sidecarSet: SidecarSet | undefined,
  { now }: Sight,
): PodDecision | undefined {
  const empty = emptyImageOf(sidecarSet, pair.base);
  switch (decision.do) {
    case "settled":
    case "retarget":
      return undefined;
    case "wait":
    case "report":
      return decision;
    case "repair":
      return written(repairWrite(pod, pair, sidecarSet, now), decision, decision.why);
    case "adopt":
      return sidecarSet && empty
        ? { do: "write", write: adoptWrite(pod, sidecarSet, pair, decision, empty, now), decision }
        : { do: "report", reason: "EmptyImageUnknown", detail: pair.base, failing: false };
    case "reset":
      return written(
        resetWrite(pod, pair.base, decision, isMarkedFalsely(pod, decision.record, pair.base, sidecarSet), now),
        decision,
        pair.base,
      );
    case "abort":
      return written(abort(pod, pair.base, decision, sidecarSet, now), decision, pair.base);
    default:
      return decision satisfies never;
  }
}

/** By another controller, as if the pod had been rolled back. */
function isMarkedFalsely(
  pod: PodProjection,
  { to, sidecarSet: name }: UpgradeRecord,
  base: string,
  sidecarSet: SidecarSet | undefined,
): boolean {
  if (sidecarSet === undefined || podHash(pod, name) !== hashOf(sidecarSet)) return false;
  const container = sidecarSet.spec.containers?.find((one) => one.name === base);
  return container !== undefined && container.image !== to;
}

function emptyImageOf(sidecarSet: SidecarSet | undefined, base: string): string | undefined {
  return sidecarSet?.spec.containers?.find((one) => one.name === base)?.upgradeStrategy?.hotUpgradeEmptyImage;
}

type Abort = Extract<PairDecision, { do: "abort" }>;

function abort(
  pod: PodProjection,
  base: string,
  decision: Abort,
  sidecarSet: SidecarSet | undefined,
  now: number,
): PodWrite | undefined {
  const { failed, reason, record } = decision;
  const failure = failed ? failureOf(pod, record, reason, sidecarSet, now) : undefined;
  return abortWrite(pod, base, decision, failure, now);
}

function written(write: PodWrite | undefined, decision: PairDecision, why: string): PodDecision {
  if (write !== undefined) return { do: "write", write, decision };
  return { do: "report", reason: "Contradictory", detail: why, failing: false };
}
