// SPDX-License-Identifier: Apache-2.0
import type { RolloutReason } from "@hot/spec";
import { isMark, type PodFacts } from "./decision.ts";
import type { PodProjection } from "./pod-projection.ts";
import type { PodWrite } from "./writes.ts";

/** A pod's state in one word, with its reason code and what it is about. */
export interface PodReport {
  readonly pod: PodProjection;
  readonly facts: PodFacts;
  readonly reason: RolloutReason;
  readonly detail: string;
}

/** So many pods, of which one is reported on: in what counts the others are the same. */
export interface CountedReport {
  readonly report: PodReport;
  readonly count: number;
}

export function countReasons(reports: readonly CountedReport[]): Map<RolloutReason, number> {
  const counts = new Map<RolloutReason, number>();
  for (const { report, count } of reports) counts.set(report.reason, (counts.get(report.reason) ?? 0) + count);
  return counts;
}

const WRITING: Record<PodWrite["kind"], RolloutReason> = {
  upgrade: "Upgrading",
  reset: "Resetting",
  abort: "Resetting",
  mark: "RollingOut",
  adopt: "Migrating",
  repair: "Contradictory",
};

/** Sums up a pod for status, metrics and views. */
export function reportOn(facts: PodFacts, exists: boolean): PodReport {
  const { pod, decision, refused } = facts;
  if (refused !== undefined) return { pod, facts, reason: "PatchRejected", detail: refused };
  if (decision.do === "wait" || decision.do === "report") {
    return { pod, facts, reason: decision.reason, detail: decision.detail };
  }
  return { pod, facts, reason: reasonOf(facts, exists), detail: "" };
}

/** An updated pod that is not ready: either its cold containers restart, or something else in it is down. */
function restarting({ pod }: PodFacts): RolloutReason {
  if (pod.silent === true) return "NodeNotReady";
  return pod.containers.every((one) => one.status?.ready === true) ? "NotObserved" : "Restarting";
}

function reasonOf(facts: PodFacts, exists: boolean): RolloutReason {
  const { decision } = facts;
  if (decision.do === "write") return WRITING[decision.write.kind];
  if (decision.do === "candidate") return isMark(decision) ? "RollingOut" : "Upgrading";
  return facts.ready || !exists ? "UpToDate" : restarting(facts);
}
