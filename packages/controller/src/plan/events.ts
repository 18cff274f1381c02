// SPDX-License-Identifier: Apache-2.0
import { reasonCode, type Reason, type SidecarSet } from "@hot/spec";
import type { PodDecision, PodFacts } from "./decision.ts";
import type { PodProjection } from "./pod-projection.ts";
import { observedServing } from "./pod-state.ts";
import type { FreshReceipt } from "./receipts.ts";
import type { Uninjected } from "./uninjected.ts";

export type EventReason =
  | "HotUpgradeStarted"
  | "TakeoverObserved"
  | "ContainerReset"
  | "HotUpgradeAborted"
  | "RolloutStalled"
  | "PodNotUpgradable"
  | "PodNotInjected"
  | "PodWriteRefused"
  | "RevisionNotRecorded"
  | "TakeoverUnproven";

export interface PlannedEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: EventReason;
  /** One sentence; a reason code comes first where there is one. */
  readonly message: string;
  /** The pod concerned; absent: the SidecarSet itself. Events of a pod are meant for its SidecarSet too. */
  readonly pod?: Pick<PodProjection, "namespace" | "name" | "uid" | "resourceVersion">;
  /** Whose upgrade it tells of: the name of the container in the SidecarSet. */
  readonly pair?: string;
}

function pairOf({ name }: { readonly name: string }): string {
  return name.replace(/-[12]$/, "");
}

/** What to say when a write of this decision is committed. */
export function eventsOf(pod: PodProjection, decision: PodDecision, retried?: PodFacts["retried"]): PlannedEvent[] {
  if (decision.do === "candidate") {
    return decision.hot.map(({ serving, standby, image }) => {
      const other = serving.container;
      const meanwhile = observedServing(serving) ? `serves ${other.image} meanwhile` : `with ${other.image} is down`;
      const detail = `${standby.container.name} gets ${image}; ${other.name} ${meanwhile}`;
      const pair = pairOf(other);
      if (retried !== undefined) return { ...coded("Normal", "HotUpgradeStarted", "Retried", detail, pod), pair };
      return { type: "Normal", reason: "HotUpgradeStarted", message: `${detail}.`, pod, pair };
    });
  }
  if (decision.do !== "write" || decision.decision === undefined) return [];
  const cause = decision.decision;
  if (cause.do === "reset") {
    const { target, old } = cause;
    const proven = target.container.probe === "exec";
    const event: PlannedEvent = {
      type: "Normal",
      reason: "ContainerReset",
      message: `${old.container.name} gets its empty image; ${target.container.name} serves ${target.container.image}.`,
      pod,
      pair: pairOf(old.container),
    };
    return proven
      ? [event]
      : [event, coded("Warning", "TakeoverUnproven", "TakeoverUnproven", old.container.name, pod)];
  }
  if (cause.do !== "abort") return [];
  const { reason, detail, old } = cause;
  const after = `${old.container.name} serves on with ${old.container.image}`;
  const type = cause.failed || cause.unanswered ? "Warning" : "Normal";
  return [{ ...coded(type, "HotUpgradeAborted", reason, `${detail}; ${after}`, pod), pair: pairOf(old.container) }];
}

/** TakeoverObserved: the first time that a new instance has its receipt. */
export function receiptEvents(fresh: readonly FreshReceipt[]): PlannedEvent[] {
  return fresh.map(({ pod, container }) => ({
    type: "Normal",
    reason: "TakeoverObserved",
    message: `${container} runs its image and is ready.`,
    pod,
    pair: pairOf({ name: container }),
  }));
}

export function stallEvent(sidecarSet: SidecarSet, failed: readonly PodFacts[], limit: number): PlannedEvent {
  const pods = failed.map((one) => `${one.pod.name} ${one.failed ?? ""}`).join(", ");
  const name = sidecarSet.metadata.name ?? "";
  return coded("Warning", "RolloutStalled", "Stalled", `${name}: ${pods} (failureThreshold ${limit})`);
}

/** @param changed - the fields, or empty where they are not known */
export function notUpgradableEvent(pod: PodProjection, changed: string): PlannedEvent {
  const detail = changed === "" ? pod.name : `${pod.name}: ${changed}`;
  return coded("Normal", "PodNotUpgradable", "NotUpgradable", detail, pod);
}

/** @param why - as the API server or the rules of `patchPodMetadata` put it, without a full stop at its end */
export function refusedEvent(pod: PodProjection, why: string): PlannedEvent {
  return coded("Warning", "PodWriteRefused", "PatchRejected", why, pod);
}

/** More pods than this are not named one by one. */
const MOST_UNINJECTED = 10;

/** One event per pod that nobody was told of; where they are many, the rest is one event of the SidecarSet. */
export function uninjectedEvents({ metadata }: SidecarSet, { fresh }: Uninjected): PlannedEvent[] {
  const name = metadata.name ?? "";
  const say = (detail: string, pod?: PodProjection): PlannedEvent =>
    coded("Warning", "PodNotInjected", "NotInjected", detail, pod);
  const rest = fresh.length - MOST_UNINJECTED;
  return [
    ...fresh.slice(0, MOST_UNINJECTED).map((pod) => say(`SidecarSet ${name}`, pod)),
    ...(rest > 0 ? [say(`${name}: ${rest} more pods`)] : []),
  ];
}

function coded(
  type: PlannedEvent["type"],
  reason: EventReason,
  code: Reason,
  detail: string,
  pod?: PodProjection,
): PlannedEvent {
  const { code: number, sentence } = reasonCode(code);
  return { type, reason, message: `${number} ${code}: ${sentence} ${detail}.`, ...(pod && { pod }) };
}
