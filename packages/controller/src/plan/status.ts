// SPDX-License-Identifier: Apache-2.0
import {
  findCondition,
  matchesSelector,
  retryToken,
  setCondition,
  type Condition,
  type RolloutReason,
  type SidecarSet,
  type SidecarSetStatus,
} from "@hot/spec";
import { toRfc3339 } from "../instant.ts";
import { maxUnavailableOf, partitionOf } from "./budget.ts";
import type { PodReport } from "./pod-report.ts";
import { uninjectedTexts, type Uninjected } from "./uninjected.ts";

interface Outcome {
  readonly stalled: boolean;
  /** Failed pods at which it stalls. */
  readonly limit: number;
  readonly now: number;
  readonly uninjected?: Uninjected;
}

/** Counters and conditions as of this plan. Fields of others (revision, collisions) are kept. */
export function statusOf(sidecarSet: SidecarSet, pods: readonly PodReport[], outcome: Outcome): SidecarSetStatus {
  const count = (test: (one: PodReport) => boolean): number => pods.filter(test).length;
  const counters = {
    matchedPods: pods.length,
    updatedPods: count(({ facts }) => facts.updated),
    readyPods: count(({ facts }) => facts.ready),
    updatedReadyPods: count(({ facts }) => facts.updated && facts.ready),
    upgradingPods: count(isUnderWay),
    failedPods: count(({ facts }) => facts.failed !== undefined),
    notUpgradablePods: count(({ reason }) => reason === "NotUpgradable"),
    ...(outcome.uninjected && { uninjectedPods: outcome.uninjected.later + outcome.uninjected.older }),
  };
  const generation = sidecarSet.metadata.generation ?? 0;
  const conditions = conditionsOf(sidecarSet, pods, counters, outcome).reduce<readonly Condition[]>(
    (all, one) => setCondition(all, { ...one, observedGeneration: generation }, toRfc3339(outcome.now)),
    sidecarSet.status?.conditions ?? [],
  );
  return {
    ...sidecarSet.status,
    ...counters,
    ...lastGood(sidecarSet, pods, counters),
    ...observedRetry(sidecarSet),
    observedGeneration: generation,
    conditions: [...conditions],
  };
}

/** Good is what pods run, and what holds nobody back any more. */
function lastGood(
  sidecarSet: SidecarSet,
  pods: readonly PodReport[],
  counters: Counters,
): Pick<SidecarSetStatus, "lastGoodRevision"> {
  const { latestRevision } = sidecarSet.status ?? {};
  const good = latestRevision !== undefined && counters.updatedReadyPods > 0 && isReady(sidecarSet, pods, counters);
  return good ? { lastGoodRevision: latestRevision } : {};
}

function observedRetry({ metadata, status }: SidecarSet): Pick<SidecarSetStatus, "observedRetry"> {
  const token = retryToken(metadata);
  return token === "" && status?.observedRetry === undefined ? {} : { observedRetry: token };
}

function isUnderWay({ facts }: PodReport): boolean {
  const { decision } = facts;
  return facts.upgrading || decision.do === "candidate" || (decision.do === "write" && decision.write.kind !== "mark");
}

type Counters = Required<
  Pick<SidecarSetStatus, "matchedPods" | "updatedPods" | "updatedReadyPods" | "upgradingPods" | "failedPods">
>;
type Verdict = Pick<Condition, "type" | "status" | "reason" | "message">;

function conditionsOf(
  sidecarSet: SidecarSet,
  pods: readonly PodReport[],
  counters: Counters,
  { stalled, limit, uninjected }: Outcome,
): Verdict[] {
  const moves = sentence(sidecarSet, pods, counters);
  const message = [moves, ...(uninjected ? uninjectedTexts(uninjected) : [])].join("; ");
  const ready = isReady(sidecarSet, pods, counters);
  const moving = !ready && !stalled && pods.some((one) => isUnderWay(one) || one.facts.holdsUnit || isQueued(one));
  const reason = ready ? (pods.length === 0 ? "NoPods" : "UpToDate") : leading(pods, stalled);
  const paused = sidecarSet.spec.updateStrategy?.paused === true;
  return [
    { type: "Ready", status: truth(ready), reason, message },
    { type: "Reconciling", status: truth(moving), reason: moving ? leading(pods, false) : reason, message: moves },
    stalledVerdict(sidecarSet, pods, { stalled, limit }),
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
  pods: readonly PodReport[],
  { stalled, limit }: { stalled: boolean; limit: number },
): Verdict {
  if (!stalled) {
    const message = `fewer than ${limit} pods have failed for this generation`;
    return { type: "Stalled", status: "False", reason: "RollingOut", message };
  }
  const failed = pods.filter(({ facts }) => facts.failed !== undefined);
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
    message: `${failed.length} of ${pods.length} pods failed, and failureThreshold is ${limit}: ${shown}${more}`,
  };
}

/** All pods in scope after partition are updated, reset and ready, and none is under way. */
function isReady({ spec }: SidecarSet, pods: readonly PodReport[], counters: Counters): boolean {
  const { updateStrategy } = spec;
  const scope = pods.filter(
    ({ pod, facts }) =>
      facts.updated || updateStrategy?.selector === undefined || matchesSelector(updateStrategy.selector, pod.labels),
  );
  const wanted = scope.length - partitionOf(updateStrategy, pods.length);
  return (
    counters.updatedPods >= wanted &&
    counters.updatedReadyPods === counters.updatedPods &&
    pods.every(({ facts }) => !facts.upgrading && !(facts.holdsUnit && facts.updated))
  );
}

const QUEUED = new Set<RolloutReason>([
  "MaxUnavailableReached",
  "NotConsistent",
  "StaleSidecarSet",
  "NotObserved",
  "HookRunning",
  "StandbyBackOff",
  "ImagePull",
  "Resetting",
]);

function isQueued({ reason }: PodReport): boolean {
  return QUEUED.has(reason);
}

/** What a person wants to know first, when several things are the case. */
const LEADING: readonly RolloutReason[] = [
  "Contradictory",
  "OldSideDown",
  "Upgrading",
  "Migrating",
  "Soaking",
  "Resetting",
  "HookRunning",
  "StandbyBackOff",
  "ImagePull",
  "NotConsistent",
  "StaleSidecarSet",
  "MaxUnavailableReached",
  "Restarting",
  "NotObserved",
  "NotUpgradable",
  "FailedBefore",
  "Paused",
  "NotUpdate",
  "SelectorNotMatched",
];

function leading(pods: readonly PodReport[], stalled: boolean): RolloutReason {
  if (stalled) return "Stalled";
  return LEADING.find((reason) => pods.some((one) => one.reason === reason)) ?? "RollingOut";
}

/** `2 of 5 pods updated; web-1: Migrating; 2 wait for maxUnavailable=1`. No times: they would change it every second. */
function sentence({ spec }: SidecarSet, pods: readonly PodReport[], counters: Counters): string {
  if (pods.length === 0) return "no injected pod matches";
  const blocked = pods.filter(({ reason }) => reason === "MaxUnavailableReached").length;
  const counts = new Map<RolloutReason, string[]>();
  for (const { reason, pod } of pods) {
    if (reason === "UpToDate" || reason === "MaxUnavailableReached") continue;
    counts.set(reason, [...(counts.get(reason) ?? []), pod.name]);
  }
  const groups = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([reason, names]) => `${names.length > 1 ? `${names.length} pods` : (names[0] ?? "")}: ${reason}`);
  const limit = maxUnavailableOf(spec.updateStrategy, pods.length);
  return [
    `${counters.updatedPods} of ${counters.matchedPods} pods updated`,
    ...groups,
    ...(blocked > 0 ? [`${blocked} wait for maxUnavailable=${limit}`] : []),
  ].join("; ");
}

function truth(value: boolean): "True" | "False" {
  return value ? "True" : "False";
}
