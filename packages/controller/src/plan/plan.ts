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
import { isMark, type PodDecision, type PodFacts } from "./decision.ts";
import { earliest } from "./earliest.ts";
import type { PodProjection } from "./pod-projection.ts";
import { countReasons, reportOn, type PodReport } from "./pod-report.ts";
import { receiptsOf } from "./receipts.ts";
import type { ReceiptTimes, Refusal, Snapshot } from "./snapshot.ts";
import { refusalOf, withRefusal } from "./refused.ts";
import { statusOf } from "./status.ts";
import { lackingEvents } from "./lacking.ts";
import { tallyOf, type Lacking, type Tally } from "./tally.ts";
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
  /** How many pods have a reason. */
  readonly reasons: ReadonlyMap<RolloutReason, number>;
}

export interface WholePlan extends Plan {
  /** Matched pods first, as they came. */
  readonly pods: readonly PodReport[];
}

/** What a plan is made from besides its pods. */
export type Circumstances = Omit<Snapshot, "matched" | "lingering">;

/** Decides everything for one SidecarSet. Pure: the same snapshot gives the same plan. */
export function plan(snapshot: Snapshot): WholePlan {
  const { reports, ...planned } = planAndReports(tallyOf(snapshot), snapshot);
  return { ...planned, pods: reports };
}

/** The same, where it is known how the pods are. */
export function planOn(tally: Tally, circumstances: Circumstances): Plan {
  const { reports: _ofSome, ...planned } = planAndReports(tally, circumstances);
  return planned;
}

function planAndReports(found: Tally, circumstances: Circumstances): Plan & { readonly reports: readonly PodReport[] } {
  const tally = withRefusals(found, circumstances);
  const { telling, groups, lingering, lacking } = tally;
  const { sidecarSet, receipts, now, uninjected, unrecorded } = circumstances;
  const total = groups.reduce((sum, { count }) => sum + count, telling.length);
  const failed = telling.filter((one) => one.failed !== undefined);
  const limit = failureLimit(sidecarSet?.spec.updateStrategy, total);
  const stalled = sidecarSet !== undefined && (failed.length >= limit || isStalled(sidecarSet));
  // What is being noted as failed counts already: nothing starts beside the abort that makes the rollout stall.
  const isOver = stalled || failed.length + telling.filter(({ failing }) => failing === true).length >= limit;
  const { decided, order, needsLive } = decideStarts(tally, total, circumstances, isOver);
  const all = [...decided, ...lingering];
  const { times, fresh, wakeAt: receiptAt } = receiptsOf(all, receipts);
  const exists = sidecarSet !== undefined;
  const reports = all.map((facts) => reportOn(facts, exists));
  const matched = [
    ...reports.slice(0, decided.length).map((report) => ({ report, count: 1 })),
    ...groups.map(({ facts, count }) => ({ report: reportOn(facts, exists), count })),
  ];
  const status = sidecarSet && statusOf(sidecarSet, matched, { stalled, limit, now, lacking, uninjected, unrecorded });
  const stall = sidecarSet && stalled && !isStalled(sidecarSet) ? stallEvent(sidecarSet, failed, limit) : undefined;
  const wakeAt = earliest([
    receiptAt,
    earliest(all.map(({ decision }) => (decision.do === "wait" ? decision.until : undefined))),
    earliest(all.map(({ holdsUntil }) => holdsUntil)),
    earliest(all.map(({ pod }) => heldCondition(pod, circumstances)?.until)),
    earliest((circumstances.orphans ?? []).map((pod) => heldCondition(pod, circumstances)?.until)),
  ]);
  return {
    writes: writesOf(all, order, sidecarSet, now),
    conditions: sidecarSet
      ? decided.filter(hasCondition).flatMap((facts) => conditionOf(facts, sidecarSet, circumstances))
      : orphanConditions(circumstances, lingering),
    ...(status && { status }),
    events: [
      ...receiptEvents(fresh),
      ...(stall ? [stall] : []),
      ...(sidecarSet && uninjected ? uninjectedEvents(sidecarSet, uninjected) : []),
      ...(sidecarSet ? lackingEvents(sidecarSet, lacking) : []),
    ],
    receipts: times,
    ...(wakeAt !== undefined && { wakeAt }),
    needsLiveSidecarSet: needsLive,
    reasons: withLacking(
      countReasons([...matched, ...reports.slice(decided.length).map((report) => ({ report, count: 1 }))]),
      lacking,
    ),
    reports,
  };
}

/** Of nearly all SidecarSets nothing was ever refused. */
function withRefusals(tally: Tally, { refused, now }: Circumstances): Tally {
  if (refused === undefined || refused.size === 0) return tally;
  const see = (facts: PodFacts): PodFacts => withRefusal(facts, refused, now);
  return { ...tally, telling: tally.telling.map(see), lingering: tally.lingering.map(see) };
}

/** The condition of such a pod is not written again yet. */
function heldCondition(pod: PodProjection, { refused, now }: Circumstances): Refusal | undefined {
  const refusal = refusalOf(refused, pod, "condition");
  return refusal !== undefined && now < refusal.until ? refusal : undefined;
}

function withLacking(reasons: Map<RolloutReason, number>, { count }: Lacking): Map<RolloutReason, number> {
  return count === 0 ? reasons : reasons.set("ContainerMissing", count);
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
  { telling, groups, all, isAhead }: Tally,
  total: number,
  { sidecarSet, live, unrecorded }: Circumstances,
  stalled: boolean,
): { decided: readonly PodFacts[]; order: PodFacts[]; needsLive: boolean } {
  if (sidecarSet === undefined) return { decided: telling, order: [], needsLive: false };
  const strategy = sidecarSet.spec.updateStrategy;
  const scatters = (strategy?.scatterStrategy ?? []).length > 0;
  const candidates = inOrder(telling.filter(isCandidate), strategy, scatters ? all() : []);
  const heldOnes = telling.filter((one) => one.holdsUnit).length;
  const held = groups.reduce((sum, { facts, count }) => sum + (facts.holdsUnit ? count : 0), heldOnes);
  // Whoever asks for one pod to be tried again wants to see whether it works now, before all others go on.
  const mayStart = (one: PodFacts): boolean => !stalled || one.retried === "pod";
  // Whoever has a unit needs no other one.
  const disturbs = ({ decision, holdsUnit }: PodFacts): boolean => !isMark(decision) && !holdsUnit;
  const picked = pick(candidates, strategy, { total, held }, { mayStart, disturbs });
  const wished = [...picked.start, ...telling.filter(isSuperseded)];
  // One pod is proof enough that what is seen is not the newest, and then partition and pause may be others, too.
  const stale = !live && wished.length > 0 && isAhead(resourceVersion(sidecarSet)) ? wished : [];
  const reasons = new Map<PodFacts, RolloutReason>();
  for (const one of picked.partitioned) reasons.set(one, stalled ? "Stalled" : "Partition");
  for (const one of picked.blocked) reasons.set(one, mayStart(one) ? "MaxUnavailableReached" : "Stalled");
  // Pods would name a revision that nobody can look up.
  const nameless = unrecorded === undefined ? [] : picked.start.filter(({ decision }) => !isMark(decision));
  for (const one of nameless) reasons.set(one, "RevisionNotRecorded");
  for (const one of stale) reasons.set(one, "StaleSidecarSet");
  const decided = telling.map((one) => {
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
  circumstances: Circumstances,
): PlannedCondition[] {
  if (decision.do === "write" || decision.do === "candidate" || circumstances.pending.has(pod.uid)) return [];
  if (heldCondition(pod, circumstances) !== undefined) return [];
  const can = updated || upgradable;
  const events = can ? [] : [notUpgradableEvent(pod, changedFields(pod, sidecarSet))];
  return [{ pod, message: upgradableMessage, events }];
}

/** Of pods that need nothing else. */
function orphanConditions(circumstances: Circumstances, busy: readonly PodFacts[]): PlannedCondition[] {
  const { name, orphans = [], pending } = circumstances;
  const busyUids = new Set(busy.map(({ pod }) => pod.uid));
  const others = orphans.filter(({ uid }) => !pending.has(uid) && !busyUids.has(uid));
  return others.flatMap((pod) => {
    const message = messageWithout(pod, name);
    const isHeld = heldCondition(pod, circumstances) !== undefined;
    return message === undefined || isHeld ? [] : [{ pod, message, events: [] }];
  });
}
