// SPDX-License-Identifier: Apache-2.0
import { isStalled, type RolloutReason, type SidecarSet, type SidecarSetStatus } from "@hot/spec";
import { failureLimit, pick } from "./budget.ts";
import { changedFields } from "./changed-fields.ts";
import {
  eventsOf,
  notUpgradableEvent,
  receiptEvents,
  stallEvent,
  uninjectedEvents,
  type PlannedEvent,
} from "./events.ts";
import { inOrder } from "./order.ts";
import { isMark, type DecidePod, type PodDecision, type PodFacts } from "./decision.ts";
import { earliest } from "./earliest.ts";
import { decidePod } from "./pod-decision.ts";
import type { PodProjection } from "./pod-projection.ts";
import { reportOn, type PodReport } from "./pod-report.ts";
import { receiptsOf } from "./receipts.ts";
import type { ReceiptTimes, Snapshot } from "./snapshot.ts";
import { statusOf } from "./status.ts";
import { messageWithout } from "./upgradable-condition.ts";
import { markWrite, resourceVersion, upgradeWrite, type PodWrite } from "./writes.ts";

export interface PlannedWrite {
  readonly pod: PodProjection;
  readonly kind: PodWrite["kind"];
  readonly write: PodWrite;
  /** To be emitted once the write is committed. */
  readonly events: readonly PlannedEvent[];
}

export interface PlannedCondition {
  readonly pod: PodProjection;
  readonly message: string;
  readonly events: readonly PlannedEvent[];
}

/** What is to be done now, and what to say about it. */
export interface Plan {
  /** Resets and aborts first, then starts; at most one per pod. */
  readonly writes: readonly PlannedWrite[];
  /** Pods whose condition SidecarSetUpgradable has to change, with its new message. */
  readonly conditions: readonly PlannedCondition[];
  /** Absent when the SidecarSet is gone. */
  readonly status?: SidecarSetStatus;
  /** To be emitted now. */
  readonly events: readonly PlannedEvent[];
  /** To be handed to the next plan. */
  readonly receipts: ReceiptTimes;
  /** When to plan again though nothing happens; epoch milliseconds. */
  readonly wakeAt?: number;
  /** A pod was upgraded by a newer SidecarSet than this one: read it from the API and plan again. */
  readonly needsLiveSidecarSet: boolean;
  readonly pods: readonly PodReport[];
}

/**
 * Decides everything for one SidecarSet. Pure: the same snapshot gives the same plan.
 *
 * @param decide - that of a `Recall` which is kept for the SidecarSet gives the same plan for less
 */
export function plan(snapshot: Snapshot, decide: DecidePod = decidePod): Plan {
  const { sidecarSet, pending, now, uninjected } = snapshot;
  const sight = { name: snapshot.name, receipts: snapshot.receipts, now, pending };
  const matched = snapshot.matched.map((pod) => decide(pod, sidecarSet, sight));
  const lingering = snapshot.lingering.map((pod) => decide(pod, undefined, sight));
  const failed = matched.filter((one) => one.failed !== undefined);
  const limit = failureLimit(sidecarSet?.spec.updateStrategy, matched.length);
  const stalled = sidecarSet !== undefined && (failed.length >= limit || isStalled(sidecarSet));
  // What is being noted as failed counts already: nothing starts beside the abort that makes the rollout stall.
  const isOver = stalled || failed.length + matched.filter(({ failing }) => failing === true).length >= limit;
  const { decided, order, needsLive } = decideStarts(matched, snapshot, isOver);
  const all = [...decided, ...lingering];
  const { times, fresh, wakeAt: receiptAt } = receiptsOf(all, snapshot.receipts);
  const reports = all.map((facts) => reportOn(facts, sidecarSet !== undefined));
  const status =
    sidecarSet &&
    statusOf(sidecarSet, reports.slice(0, decided.length), { stalled, limit, now, ...(uninjected && { uninjected }) });
  const stall = sidecarSet && stalled && !isStalled(sidecarSet) ? stallEvent(sidecarSet, failed, limit) : undefined;
  const wakeAt = earliest([
    receiptAt,
    earliest(all.map(({ decision }) => (decision.do === "wait" ? decision.until : undefined))),
  ]);
  return {
    writes: writesOf(all, order, sidecarSet, now),
    conditions: sidecarSet
      ? decided.filter(hasCondition).flatMap((facts) => conditionOf(facts, sidecarSet, snapshot))
      : orphanConditions(snapshot, lingering),
    ...(status && { status }),
    events: [
      ...receiptEvents(fresh),
      ...(stall ? [stall] : []),
      ...(sidecarSet && uninjected ? uninjectedEvents(sidecarSet, uninjected) : []),
    ],
    receipts: times,
    ...(wakeAt !== undefined && { wakeAt }),
    needsLiveSidecarSet: needsLive,
    pods: reports,
  };
}

type Candidate = PodFacts & { readonly decision: Extract<PodDecision, { do: "candidate" }> };

function isCandidate(facts: PodFacts): facts is Candidate {
  return facts.decision.do === "candidate";
}

type Finishing = PodFacts & { readonly decision: Extract<PodDecision, { do: "write" }> };

function isWrite(facts: PodFacts): facts is Finishing {
  return facts.decision.do === "write";
}

/** Leaves only those writes that may be made now; other pods get the code of what holds them back. `order`: of all candidates. */
function decideStarts(
  matched: readonly PodFacts[],
  { sidecarSet, live }: Snapshot,
  stalled: boolean,
): { decided: PodFacts[]; order: PodFacts[]; needsLive: boolean } {
  if (sidecarSet === undefined) return { decided: [...matched], order: [], needsLive: false };
  const candidates = inOrder(matched.filter(isCandidate), sidecarSet.spec.updateStrategy, matched);
  const held = matched.filter((one) => one.holdsUnit).length;
  // Whoever asks for one pod to be tried again wants to see whether it works now, before all others go on.
  const mayStart = (one: PodFacts): boolean => !stalled || one.retried === "pod";
  const disturbs = ({ decision }: PodFacts): boolean => !isMark(decision);
  const picked = pick(candidates, sidecarSet.spec.updateStrategy, { total: matched.length, held }, { mayStart, disturbs });
  const wished = [...picked.start, ...matched.filter(isSuperseded)];
  // One pod is proof enough that what is seen is not the newest, and then partition and pause may be others, too.
  const seen = resourceVersion(sidecarSet);
  const stale = !live && matched.some(({ version }) => version > seen) ? wished : [];
  const reasons = new Map<PodFacts, RolloutReason>();
  for (const one of picked.partitioned) reasons.set(one, stalled ? "Stalled" : "Partition");
  for (const one of picked.blocked) reasons.set(one, mayStart(one) ? "MaxUnavailableReached" : "Stalled");
  for (const one of stale) reasons.set(one, "StaleSidecarSet");
  const decided = matched.map((one) => {
    const reason = reasons.get(one);
    return reason === undefined ? one : { ...one, decision: { do: "wait" as const, reason, detail: "" } };
  });
  return { decided, order: candidates, needsLive: stale.length > 0 };
}

/** An abort because the wish has changed is only as good as what is known of the wish. */
function isSuperseded({ decision }: PodFacts): boolean {
  return decision.do === "write" && decision.decision?.do === "abort" && !decision.decision.failed;
}

function writesOf(
  all: readonly PodFacts[],
  order: readonly PodFacts[],
  sidecarSet: SidecarSet | undefined,
  now: number,
): PlannedWrite[] {
  const finishing = all.filter(isWrite).map(({ pod, decision }) => ({
    pod,
    kind: decision.write.kind,
    write: decision.write,
    events: eventsOf(pod, decision),
  }));
  if (sidecarSet === undefined) return finishing;
  const mayStart = new Set(all.filter(isCandidate));
  const starting = order
    .filter(isCandidate)
    .filter((one) => mayStart.has(one))
    .map((one) => startOf(one, sidecarSet, now));
  return [...finishing, ...starting];
}

/** Of very many pods that may start only some are written before the next plan: for the others nothing is put together. */
function startOf({ pod, decision, retried }: Candidate, sidecarSet: SidecarSet, now: number): PlannedWrite {
  const marks = isMark(decision);
  let write: PodWrite | undefined;
  return {
    pod,
    kind: marks ? "mark" : "upgrade",
    get write() {
      return (write ??= marks
        ? markWrite(pod, sidecarSet, now)
        : upgradeWrite(pod, sidecarSet, decision.hot, decision.cold, now));
    },
    get events() {
      return eventsOf(pod, decision, retried);
    },
  };
}

function hasCondition(facts: PodFacts): facts is PodFacts & { readonly upgradableMessage: string } {
  return facts.upgradableMessage !== undefined;
}

function conditionOf(
  { pod, updated, upgradable, decision, upgradableMessage }: PodFacts & { readonly upgradableMessage: string },
  sidecarSet: SidecarSet,
  { pending }: Snapshot,
): PlannedCondition[] {
  if (decision.do === "write" || decision.do === "candidate" || pending.has(pod.uid)) return [];
  const can = updated || upgradable;
  const events = can ? [] : [notUpgradableEvent(pod, changedFields(pod, sidecarSet))];
  return [{ pod, message: upgradableMessage, events }];
}

/** Of pods that need nothing else. */
function orphanConditions({ name, orphans = [], pending }: Snapshot, busy: readonly PodFacts[]): PlannedCondition[] {
  const busyUids = new Set(busy.map(({ pod }) => pod.uid));
  const others = orphans.filter(({ uid }) => !pending.has(uid) && !busyUids.has(uid));
  return others.flatMap((pod) => {
    const message = messageWithout(pod, name);
    return message === undefined ? [] : [{ pod, message, events: [] }];
  });
}
