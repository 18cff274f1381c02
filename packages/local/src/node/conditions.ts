// SPDX-License-Identifier: Apache-2.0
import type { ContainerStatus, PodCondition } from "@hot/spec";
import { timestamp } from "./timestamp.ts";
import type { Phase } from "./phase.ts";

interface Facts {
  phase: Phase;
  statuses: readonly ContainerStatus[];
  initStatuses: readonly ContainerStatus[];
  initialized: boolean;
  sandboxReady: boolean;
  generation: number | undefined;
  previous: readonly PodCondition[];
  now: number;
}

type Verdict = Pick<PodCondition, "status" | "reason" | "message">;

const TRUE: Verdict = { status: "True" };

/** The five conditions that a kubelet owns. A transition time changes with the status only. */
export function makeConditions(facts: Facts): PodCondition[] {
  const ready = containersReady(facts);
  return [
    condition(facts, "PodReadyToStartContainers", facts.sandboxReady ? TRUE : { status: "False" }),
    condition(facts, "Initialized", initialized(facts)),
    condition(facts, "Ready", ready),
    condition(facts, "ContainersReady", ready),
    condition(facts, "PodScheduled", TRUE),
  ];
}

function condition(facts: Facts, type: string, verdict: Verdict): PodCondition {
  const before = facts.previous.find((one) => one.type === type);
  const unchanged = before?.status === verdict.status && before.lastTransitionTime;
  return {
    type,
    ...verdict,
    ...(facts.generation === undefined ? {} : { observedGeneration: facts.generation }),
    lastProbeTime: null,
    lastTransitionTime: unchanged || timestamp(facts.now),
  };
}

function containersReady({ phase, statuses }: Facts): Verdict {
  if (phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  const unready = statuses.filter((one) => !one.ready).map((one) => one.name);
  if (unready.length === 0) return TRUE;
  return {
    status: "False",
    reason: "ContainersNotReady",
    message: `containers with unready status: [${unready.join(" ")}]`,
  };
}

function initialized({ phase, initStatuses, initialized }: Facts): Verdict {
  if (initialized) return phase === "Succeeded" ? { status: "True", reason: "PodCompleted" } : TRUE;
  const open = initStatuses.filter((one) => !one.ready).map((one) => one.name);
  return {
    status: "False",
    reason: "ContainersNotInitialized",
    message: `containers with incomplete status: [${open.join(" ")}]`,
  };
}
