// SPDX-License-Identifier: Apache-2.0
import type { RolloutReason } from "@hot/spec";
import { toMillis } from "../instant.ts";
import { rolesOf, type HotPair, type Roles, type Side } from "./hot-pair.ts";
import type { PodProjection } from "./pod-projection.ts";
import { isUnheard, newSideFailure, observedServing, receiptOf, standbyWait, type Receipt } from "./pod-state.ts";
import type { UpgradeRecord } from "./record.ts";
import type { ReceiptTimes } from "./snapshot.ts";
import { onSpecImage } from "./spec-image.ts";

/** What one pair needs, before anything new may start in its pod. */
export type PairDecision =
  /** Settled, and the standby is there: an upgrade may start. */
  | { readonly do: "settled"; readonly serving: Side; readonly standby: Side }
  | { readonly do: "wait"; readonly reason: RolloutReason; readonly detail: string; readonly until?: number }
  /** Nothing can be done from here; a person or the SidecarSet has to change. */
  | { readonly do: "report"; readonly reason: RolloutReason; readonly detail: string; readonly failing: boolean }
  | { readonly do: "adopt"; readonly target: Side; readonly old: Side }
  | { readonly do: "reset"; readonly target: Side; readonly old: Side; readonly record: UpgradeRecord }
  | {
      readonly do: "abort";
      readonly target: Side;
      readonly old: Side;
      readonly record: UpgradeRecord;
      readonly reason: RolloutReason;
      readonly detail: string;
      /** The new side failed; otherwise the user changed the wish, or the kubelet has not answered. */
      readonly failed: boolean;
      readonly unanswered?: true;
    }
  /** No side serves, and what was to come has failed: another image may be started in its place. */
  | { readonly do: "retarget"; readonly target: Side; readonly old: Side; readonly record: UpgradeRecord }
  | { readonly do: "repair"; readonly why: string };

export interface PairSight {
  readonly pod: PodProjection;
  readonly pair: HotPair;
  /** The SidecarSet's image for this pair; absent if it is gone or has no such container. */
  readonly image?: string;
  /** Only images differ between the pod and the SidecarSet. */
  readonly upgradable: boolean;
  readonly receipts: ReceiptTimes;
  readonly now: number;
}

/** The transition table of one hot pair: the first row that matches wins. */
export function decidePair(sight: PairSight): PairDecision {
  const { pod, pair } = sight;
  const roles = rolesOf(pair);
  if (roles.state === "contradictory") return { do: "repair", why: `${pair.base}: ${roles.why}` };
  if (roles.state === "settled") {
    const reason = standbyWait(pod, roles.standby, pair.record, sight.now);
    if (reason !== undefined) return standbyWaits(sight, roles.standby, reason);
    return { do: "settled", serving: roles.serving, standby: roles.standby };
  }
  return decideUpgrading(sight, roles);
}

function standbyWaits({ pod, pair, now }: PairSight, { container }: Side, why: RolloutReason): PairDecision {
  const until = why === "HookRunning" ? toMillis(pair.record?.deadlineAt) : undefined;
  const reason = pod.silent === true ? "NodeNotReady" : why;
  return { do: "wait", reason, detail: container.name, ...(until !== undefined && until > now && { until }) };
}

function decideUpgrading(sight: PairSight, roles: Extract<Roles, { state: "upgrading" }>): PairDecision {
  const { target, old, record } = roles;
  if (record === undefined) return adoption(sight, target, old);
  const { pod, now } = sight;
  const receipt = receiptOf(pod, target, record, sight.receipts, now);
  const hasTakenOver = receipt.state === "complete" || receipt.state === "soaking";
  if (pod.silent === true && hasTakenOver) return { do: "wait", reason: "NodeNotReady", detail: target.container.name };
  if (receipt.state === "complete") return { do: "reset", target, old, record };
  if (receipt.state === "soaking") {
    return { do: "wait", reason: "Soaking", detail: target.container.name, until: receipt.until };
  }
  const deadline = toMillis(record.deadlineAt) ?? now;
  if (!observedServing(old)) return withoutServing(sight, { target, old, record }, deadline);
  if (wishOf(sight, old, record) !== record.to) {
    const detail = `${target.container.name} was to run ${record.to}; wanted is ${sight.image}`;
    return { do: "abort", target, old, record, reason: "Superseded", detail, failed: false };
  }
  if (now >= deadline && isUnheard(pod, record)) return unanswered(pod, { target, old, record });
  const failure = newSideFailure(pod, target, record) ?? overdue(target, deadline, now);
  if (failure === undefined) return underWay(pod, target, receipt, deadline);
  if (record.onFailure === "Wait") return { do: "report", ...failure, failing: true };
  return { do: "abort", target, old, record, ...failure, failed: true };
}

function adoption({ image, pair }: PairSight, target: Side, old: Side): PairDecision {
  if (image !== undefined) return { do: "adopt", target, old };
  return { do: "report", reason: "EmptyImageUnknown", detail: pair.base, failing: false };
}

/** What the pair is to run: only a SidecarSet that this pod can follow counts, except for a rollback. */
function wishOf({ image, upgradable }: PairSight, old: Side, record: UpgradeRecord): string {
  if (image === undefined) return record.to;
  return upgradable || image === old.container.image ? image : record.to;
}

interface Upgrade {
  readonly target: Side;
  readonly old: Side;
  readonly record: UpgradeRecord;
}

/** Nothing may be emptied. Unless the new side has failed, it may be the one that serves, unseen. */
function withoutServing(sight: PairSight, pair: Upgrade, deadline: number): PairDecision {
  const { pod, now } = sight;
  const { target, old, record } = pair;
  const failure = isUnheard(pod, record)
    ? undefined
    : (newSideFailure(pod, target, record) ?? overdue(target, deadline, now));
  if (failure === undefined) return oldSideDown(old, deadline, now);
  const wish = wishOf(sight, old, record);
  if (wish === record.to) {
    const detail = `${failure.detail}; ${old.container.name} is down, too`;
    return { do: "report", reason: failure.reason, detail, failing: true };
  }
  const isNoChoice = target.container.status?.ready === true || [old.container.image, record.empty].includes(wish);
  return isNoChoice ? oldSideDown(old, deadline, now) : { do: "retarget", ...pair };
}

function oldSideDown(old: Side, deadline: number, now: number): PairDecision {
  const detail = old.container.name;
  if (now >= deadline) return { do: "report", reason: "OldSideDown", detail, failing: false };
  return { do: "wait", reason: "OldSideDown", detail, until: deadline };
}

function overdue(target: Side, deadline: number, now: number): { reason: RolloutReason; detail: string } | undefined {
  return now >= deadline ? { reason: "ProgressDeadlineExceeded", detail: target.container.name } : undefined;
}

/** That says nothing against the image: the pod is a candidate again when its kubelet answers. */
function unanswered(pod: PodProjection, pair: Upgrade): PairDecision {
  const { record, target } = pair;
  const reason = pod.silent === true ? "NodeNotReady" : "NotObserved";
  const detail = `${target.container.name} was to run ${record.to}`;
  if (record.onFailure === "Wait") return { do: "wait", reason, detail };
  return { do: "abort", ...pair, reason, detail, failed: false, unanswered: true };
}

function underWay(pod: PodProjection, target: Side, receipt: Receipt, deadline: number): PairDecision {
  const { container } = target;
  const running = container.status?.runningSince !== undefined && onSpecImage(target);
  const until = receipt.state === "proving" ? Math.min(receipt.until, deadline) : deadline;
  const reason = running ? "Migrating" : "Upgrading";
  return { do: "wait", reason: pod.silent === true ? "NodeNotReady" : reason, detail: container.name, until };
}
