// SPDX-License-Identifier: Apache-2.0
import {
  findCondition,
  retryToken,
  setCondition,
  type Condition,
  type RolloutReason,
  type SidecarSet,
  type SidecarSetStatus,
} from "@hot/spec";
import { toRfc3339 } from "../instant.ts";
import { maxUnavailableOf, partitionOf } from "./budget.ts";
import { isMark } from "./decision.ts";
import { isInScope } from "./kind.ts";
import type { CountedReport, PodReport } from "./pod-report.ts";
import { lackingText } from "./lacking.ts";
import type { Lacking } from "./tally.ts";
import { unrecordedText } from "./unrecorded.ts";
import { uninjectedTexts, type Uninjected } from "./uninjected.ts";

interface Outcome {
  readonly stalled: boolean;
  /** Failed pods at which it stalls. */
  readonly limit: number;
  readonly now: number;
  readonly uninjected: Uninjected | undefined;
  /** Why its revision can't be written. */
  readonly unrecorded: string | undefined;
  /** Pods that lack containers: there is no ready while there are any. */
  readonly lacking: Lacking;
}

/** Counters and conditions as of this plan. Fields of others (revision, collisions) are kept. */
export function statusOf(sidecarSet: SidecarSet, pods: readonly CountedReport[], outcome: Outcome): SidecarSetStatus {
  const reasons = byReason(pods);
  const counters = {
    ...countersOf(pods),
    notUpgradablePods: reasons.get("NotUpgradable")?.count ?? 0,
    ...(outcome.uninjected && { uninjectedPods: outcome.uninjected.later + outcome.uninjected.older }),
  };
  const { lacking, unrecorded } = outcome;
  const ready = lacking.count === 0 && unrecorded === undefined && isReady(sidecarSet, pods, counters);
  const good = ready && counters.updatedReadyPods > 0;
  // What has proved good holds nobody back; and to whoever reads conditions a stall is a failure, ready or not.
  const stalled = outcome.stalled && !(good && counters.failedPods === 0);
  const generation = sidecarSet.metadata.generation ?? 0;
  const conditions = conditionsOf(sidecarSet, { pods, reasons, ready }, counters, { ...outcome, stalled }).reduce<
    readonly Condition[]
  >(
    (all, one) => setCondition(all, { ...one, observedGeneration: generation }, toRfc3339(outcome.now)),
    sidecarSet.status?.conditions ?? [],
  );
  return {
    ...sidecarSet.status,
    ...counters,
    ...lastGood(sidecarSet, good),
    ...observedRetry(sidecarSet),
    observedGeneration: generation,
    conditions: [...conditions],
  };
}

/** Good is what pods run, and what holds nobody back any more. */
function lastGood({ status }: SidecarSet, good: boolean): Pick<SidecarSetStatus, "lastGoodRevision"> {
  const { latestRevision } = status ?? {};
  return good && latestRevision !== undefined ? { lastGoodRevision: latestRevision } : {};
}

/** Stays when the annotation is taken away: the same value once more is no other one. */
function observedRetry({ metadata }: SidecarSet): Pick<SidecarSetStatus, "observedRetry"> {
  const token = retryToken(metadata);
  return token === "" ? {} : { observedRetry: token };
}

/** In one walk: a SidecarSet may have very many pods, and each of their events asks for this. */
function countersOf(pods: readonly CountedReport[]): Counters & { readyPods: number } {
  let [matchedPods, updatedPods, readyPods, updatedReadyPods, upgradingPods, failedPods] = [0, 0, 0, 0, 0, 0];
  for (const { report, count } of pods) {
    const { updated, ready, failed } = report.facts;
    matchedPods += count;
    if (updated) updatedPods += count;
    if (ready) readyPods += count;
    if (updated && ready) updatedReadyPods += count;
    if (isUnderWay(report)) upgradingPods += count;
    if (failed !== undefined) failedPods += count;
  }
  return { matchedPods, updatedPods, readyPods, updatedReadyPods, upgradingPods, failedPods };
}

/** How many pods have a reason, and the name of the only one. */
type Reasons = ReadonlyMap<RolloutReason, { readonly count: number; readonly first: string; readonly detail: string }>;

function byReason(pods: readonly CountedReport[]): Reasons {
  const found = new Map<RolloutReason, { count: number; readonly first: string; readonly detail: string }>();
  for (const { report, count } of pods) {
    const one = found.get(report.reason);
    if (one === undefined) found.set(report.reason, { count, first: report.pod.name, detail: report.detail });
    else one.count += count;
  }
  return found;
}

function isUnderWay({ facts }: PodReport): boolean {
  const { decision, refused } = facts;
  if (refused !== undefined) return facts.upgrading;
  return facts.upgrading || decision.do === "write" || (decision.do === "candidate" && !isMark(decision));
}

type Counters = Required<
  Pick<SidecarSetStatus, "matchedPods" | "updatedPods" | "updatedReadyPods" | "upgradingPods" | "failedPods">
>;
type Verdict = Pick<Condition, "type" | "status" | "reason" | "message">;

function conditionsOf(
  sidecarSet: SidecarSet,
  { pods, reasons, ready }: { pods: readonly CountedReport[]; reasons: Reasons; ready: boolean },
  counters: Counters,
  { stalled, limit, uninjected, lacking, unrecorded }: Outcome,
): Verdict[] {
  const failedUpdates = pods.filter(({ report: { facts } }) => facts.updated && facts.failed !== undefined).length;
  const moves = sentence(sidecarSet, reasons, counters, failedUpdates);
  const message = [
    moves,
    unrecorded === undefined ? "" : unrecordedText(unrecorded),
    lackingText(sidecarSet, lacking),
    ...(uninjected ? uninjectedTexts(uninjected) : []),
  ]
    .filter((text) => text !== "")
    .join("; ");
  const first = (isStalled: boolean): RolloutReason => {
    if (isStalled) return "Stalled";
    return unrecorded === undefined ? leading(reasons, lacking) : "RevisionNotRecorded";
  };
  const isMoving = (): boolean =>
    counters.upgradingPods > 0 ||
    [...reasons.keys()].some((one) => QUEUED.has(one)) ||
    pods.some(({ report }) => report.facts.holdsUnit);
  const moving = !ready && !stalled && isMoving();
  const reason = ready ? (counters.matchedPods === 0 ? "NoPods" : "UpToDate") : first(stalled);
  const paused = sidecarSet.spec.updateStrategy?.paused === true;
  return [
    { type: "Ready", status: truth(ready), reason, message },
    {
      type: "Reconciling",
      status: truth(moving),
      reason: moving ? first(false) : reason,
      message: moves,
    },
    stalledVerdict(sidecarSet, pods, { stalled, limit, matchedPods: counters.matchedPods }),
    {
      type: "Paused",
      status: truth(paused),
      reason: paused ? "Paused" : "RollingOut",
      message: `spec.updateStrategy.paused is ${paused}`,
    },
  ];
}

/** A condition is read by people, and an object has a limit. */
const MAX_NAMES = 10;

function stalledVerdict(
  sidecarSet: SidecarSet,
  pods: readonly CountedReport[],
  { stalled, limit, matchedPods }: { stalled: boolean; limit: number; matchedPods: number },
): Verdict {
  if (!stalled) {
    const message = `fewer than ${limit} pods have failed for this generation`;
    return { type: "Stalled", status: "False", reason: "RollingOut", message };
  }
  const failed = pods.map(({ report }) => report).filter(({ facts }) => facts.failed !== undefined);
  const before = findCondition(sidecarSet.status?.conditions, "Stalled");
  if (failed.length === 0 && before?.status === "True") {
    return { type: "Stalled", status: "True", reason: before.reason, message: before.message };
  }
  const names = failed.map(({ pod, facts }) => `${pod.name} (${facts.failed ?? ""})`).sort();
  const shown = names.slice(0, MAX_NAMES).join(", ");
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : "";
  return {
    type: "Stalled",
    status: "True",
    reason: failed[0]?.facts.failed ?? "Stalled",
    message: `${failed.length} of ${matchedPods} pods failed, and failureThreshold is ${limit}: ${shown}${more}`,
  };
}

/** All pods in scope after partition are updated, reset and ready, and none is under way. */
function isReady({ spec }: SidecarSet, pods: readonly CountedReport[], counters: Counters): boolean {
  const { updateStrategy } = spec;
  const selector = updateStrategy?.selector;
  const scope = pods.reduce((sum, { report, count }) => sum + (isInScope(report.facts, selector) ? count : 0), 0);
  const wanted = scope - partitionOf(updateStrategy, counters.matchedPods);
  return (
    counters.updatedPods >= wanted &&
    counters.updatedReadyPods === counters.updatedPods &&
    pods.every(({ report: { facts } }) => !facts.upgrading && !(facts.holdsUnit && facts.updated))
  );
}

const QUEUED = new Set<RolloutReason>([
  "PatchRejected",
  "RevisionNotRecorded",
  "MaxUnavailableReached",
  "NotConsistent",
  "StaleSidecarSet",
  "NotObserved",
  "HookRunning",
  "StandbyBackOff",
  "ImagePull",
  "Resetting",
]);

/** What a person wants to know first, when several things are the case. */
const LEADING: readonly RolloutReason[] = [
  "Contradictory",
  "OldSideDown",
  "ImagePullFailed",
  "PostStartHookFailed",
  "NewSideCrashed",
  "ProgressDeadlineExceeded",
  "Upgrading",
  "Migrating",
  "Soaking",
  "Resetting",
  "HookRunning",
  "StandbyBackOff",
  "ImagePull",
  "NotConsistent",
  "StaleSidecarSet",
  "PatchRejected",
  "MaxUnavailableReached",
  "Restarting",
  "NotObserved",
  "NodeNotReady",
  "NotUpgradable",
  "FailedBefore",
  "Paused",
  "NotUpdate",
  "SelectorNotMatched",
];

function leading(reasons: Reasons, lacking: Lacking): RolloutReason {
  const first = LEADING.find((reason) => reasons.has(reason));
  return first ?? (lacking.count > 0 ? "ContainerMissing" : "RollingOut");
}

/** `2 of 5 pods updated; web-1: Migrating; 2 wait for maxUnavailable=1`. No times: they would change it every second. */
function sentence({ spec }: SidecarSet, reasons: Reasons, counters: Counters, failedUpdates: number): string {
  if (counters.matchedPods === 0) return "no injected pod matches";
  const blocked = reasons.get("MaxUnavailableReached")?.count ?? 0;
  const groups = [...reasons]
    .filter(([reason]) => reason !== "UpToDate" && reason !== "MaxUnavailableReached")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([reason, { count, first, detail }]) => {
      // Only the API server can say why.
      const why = reason === "PatchRejected" ? ` (${detail})` : "";
      return `${count > 1 ? `${count} pods` : first}: ${reason}${why}`;
    });
  const limit = maxUnavailableOf(spec.updateStrategy, counters.matchedPods);
  return [
    // They count in `updatedPods`, as with Kruise, and no one would call them so.
    `${counters.updatedPods - failedUpdates} of ${counters.matchedPods} pods updated`,
    ...groups,
    ...(blocked > 0 ? [`${blocked} wait for maxUnavailable=${limit}`] : []),
  ].join("; ");
}

function truth(value: boolean): "True" | "False" {
  return value ? "True" : "False";
}
