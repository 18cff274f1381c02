// SPDX-License-Identifier: Apache-2.0
import { findCondition, type RolloutReason, type SidecarSet } from "@hot/spec";
import type { HotPair, Side } from "../plan/hot-pair.ts";
import { rolesOf } from "../plan/hot-pair.ts";
import { plan } from "../plan/plan.ts";
import type { PodProjection } from "../plan/pod-projection.ts";
import type { PodReport } from "../plan/pod-report.ts";
import { onSpecImage } from "../plan/spec-image.ts";
import { isMatched, isUnfinished, type NamespaceLabels } from "../plan/select-pods.ts";

/** What a terminal or a page shows of one SidecarSet: no colours, no widths, no times that were not given. */
export interface SidecarSetView {
  readonly name: string;
  readonly state: "Ready" | "Reconciling" | "Stalled" | "Paused" | "Waiting" | "Gone";
  /** The message of the condition that the state comes from. */
  readonly message: string;
  readonly matched: number;
  readonly updated: number;
  readonly ready: number;
  /** By namespace and name. */
  readonly pods: readonly PodView[];
}

export interface PodView {
  readonly namespace: string;
  readonly name: string;
  readonly ready: boolean;
  readonly updated: boolean;
  readonly reason: RolloutReason;
  /** Names and numbers that belong to the reason. */
  readonly detail: string;
  readonly pairs: readonly PairView[];
}

export interface PairView {
  readonly base: string;
  readonly state: "settled" | "upgrading" | "contradictory";
  readonly sides: readonly [SideView, SideView];
}

export interface SideView {
  readonly container: string;
  /** `working` serves or is to serve; `old` serves until the takeover is proven; `unknown` in a contradictory pair. */
  readonly role: "working" | "old" | "empty" | "unknown";
  readonly version: string;
  readonly image: string;
  /** What the kubelet reports of the image above. */
  readonly observed: "ready" | "running" | "starting" | "ended" | "waiting";
  /** Why the container waits, such as `ImagePullBackOff`. */
  readonly waiting?: string;
}

export interface ViewInput {
  readonly name: string;
  readonly sidecarSet?: SidecarSet;
  /** All pods of the cache, or any that include the SidecarSet's. */
  readonly pods: readonly PodProjection[];
  readonly namespaces: NamespaceLabels;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Describes a SidecarSet and its pods by the very decisions that the controller takes. */
export function viewSidecarSet({ name, sidecarSet, pods, namespaces, now }: ViewInput): SidecarSetView {
  const isOurs = (pod: PodProjection): boolean => sidecarSet !== undefined && isMatched(pod, sidecarSet, namespaces);
  const planned = plan({
    name,
    ...(sidecarSet && { sidecarSet }),
    live: true,
    matched: pods.filter(isOurs),
    lingering: pods.filter((pod) => !isOurs(pod) && isUnfinished(pod, name)),
    pending: new Map(),
    receipts: new Map(),
    now,
  });
  return {
    name,
    ...stateOf(sidecarSet),
    matched: planned.status?.matchedPods ?? 0,
    updated: planned.status?.updatedPods ?? 0,
    ready: planned.status?.readyPods ?? 0,
    pods: planned.pods.map(viewPod).sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1)),
  };
}

const STATES = ["Stalled", "Paused", "Reconciling", "Ready"] as const;

/** As the controller wrote it: what `kubectl` shows too. */
function stateOf(sidecarSet: SidecarSet | undefined): Pick<SidecarSetView, "state" | "message"> {
  if (sidecarSet === undefined) return { state: "Gone", message: "" };
  const generation = sidecarSet.metadata.generation ?? 0;
  for (const state of STATES) {
    const condition = findCondition(sidecarSet.status?.conditions, state);
    if (condition?.status === "True" && condition.observedGeneration === generation) {
      return { state, message: condition.message };
    }
  }
  return { state: "Waiting", message: findCondition(sidecarSet.status?.conditions, "Ready")?.message ?? "" };
}

function viewPod({ pod, facts, reason, detail }: PodReport): PodView {
  const { namespace, name } = pod;
  const { ready, updated, pairs } = facts;
  return { namespace, name, ready, updated, reason, detail, pairs: pairs.map(viewPair) };
}

function viewPair(pair: HotPair): PairView {
  const roles = rolesOf(pair);
  const roleOf = (side: Side): SideView["role"] => {
    if (roles.state === "contradictory") return "unknown";
    if (roles.state === "settled") return side === roles.serving ? "working" : "empty";
    return side === roles.target ? "working" : "old";
  };
  const [first, second] = pair.sides;
  return {
    base: pair.base,
    state: roles.state,
    sides: [viewSide(first, roleOf(first)), viewSide(second, roleOf(second))],
  };
}

function viewSide(side: Side, role: SideView["role"]): SideView {
  const { container, version } = side;
  const { name, image, status } = container;
  return {
    container: name,
    role,
    version: version?.toString() ?? "",
    image,
    observed: observed(side),
    ...(status?.waiting !== undefined && { waiting: status.waiting }),
  };
}

function observed(side: Side): SideView["observed"] {
  const { status } = side.container;
  if (status?.waiting !== undefined) return "waiting";
  if (status?.terminated !== undefined) return "ended";
  if (status?.runningSince === undefined || !onSpecImage(side)) return "starting";
  return status.ready ? "ready" : "running";
}

function sortKey({ namespace, name }: PodView): string {
  return `${namespace}/${name}`;
}
