// SPDX-License-Identifier: Apache-2.0
import { prepareSidecarSets } from "@hot/inject";
import { findCondition, type RolloutReason, type SidecarSet } from "@hot/spec";
import { toMillis } from "../instant.ts";
import { readState } from "../plan/in-place-state.ts";
import { isChosen, isOlder, mayLack, type IsInjectable } from "../plan/injectable.ts";
import type { HotPair, Side } from "../plan/hot-pair.ts";
import { hotPairs, rolesOf } from "../plan/hot-pair.ts";
import { plan } from "../plan/plan.ts";
import type { PodProjection } from "../plan/pod-projection.ts";
import type { PodReport } from "../plan/pod-report.ts";
import { onSpecImage } from "../plan/spec-image.ts";
import { isLacking, isMatched, isUnfinished, missingContainers, type NamespaceLabels } from "../plan/select-pods.ts";
import { podRevision } from "../plan/upgradable.ts";

/** What a terminal or a page shows of one SidecarSet: no colours, no widths, no times that were not given. */
export interface SidecarSetView {
  readonly name: string;
  readonly state: "Ready" | "Reconciling" | "Stalled" | "Paused" | "Waiting" | "Gone";
  /** The ControllerRevision that pods are updated to; empty if it is not known. */
  readonly revision: string;
  /** The message of the condition that the state comes from. */
  readonly message: string;
  readonly matched: number;
  readonly updated: number;
  readonly ready: number;
  /** By namespace and name. */
  readonly pods: readonly PodView[];
  /** Pods that injection would choose it for and that run without it; not among the others, which are injected. */
  readonly uninjected: readonly PodView[];
}

export interface PodView {
  readonly namespace: string;
  readonly name: string;
  readonly ready: boolean;
  readonly updated: boolean;
  /** The ControllerRevision that it was injected with or last updated to; empty if it is not known. */
  readonly revision: string;
  /** When its sidecars were last changed in place, in epoch milliseconds; absent: never. */
  readonly changedAt?: number;
  /**
   * What is to be done next. That the API server refuses it, only the controller knows, and the events of the pod say: the
   * status of a SidecarSet counts such pods in its message, which is `message` of the view, and names no more than one.
   */
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
  /** The other SidecarSets: a canary of this one takes pods of it. Default: none. */
  readonly others?: readonly SidecarSet[];
  /** Which pods admission is asked about; default: all. */
  readonly isInjectable?: IsInjectable;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Describes a SidecarSet and its pods by the very decisions that the controller takes. */
export function viewSidecarSet(input: ViewInput): SidecarSetView {
  const { name, sidecarSet, pods, namespaces, now } = input;
  const lacking = sidecarSet === undefined ? [] : pods.filter((pod) => isLacking(pod, sidecarSet, namespaces));
  const isOurs = (pod: PodProjection): boolean => sidecarSet !== undefined && isMatched(pod, sidecarSet, namespaces);
  const planned = plan({
    name,
    ...(sidecarSet && { sidecarSet }),
    live: true,
    matched: pods.filter(isOurs),
    lingering: pods.filter((pod) => !isOurs(pod) && isUnfinished(pod, name)),
    lacking,
    pending: new Map(),
    receipts: new Map(),
    now,
  });
  const isPlanned = new Set(planned.pods.map(({ pod }) => pod));
  return {
    name,
    ...stateOf(sidecarSet),
    revision: sidecarSet?.status?.latestRevision ?? "",
    matched: planned.status?.matchedPods ?? 0,
    updated: planned.status?.updatedPods ?? 0,
    ready: planned.status?.readyPods ?? 0,
    pods: inOrder([
      ...planned.pods.map((one) =>
        viewPod(one, name, hotPairs(one.pod, name, isOurs(one.pod) ? sidecarSet : undefined)),
      ),
      ...lacking.filter((pod) => !isPlanned.has(pod)).map((pod) => viewLacking(pod, name, sidecarSet)),
    ]),
    uninjected: inOrder(viewUninjected(input)),
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

function viewPod({ pod, facts, reason, detail }: PodReport, sidecarSet: string, pairs: readonly HotPair[]): PodView {
  const { namespace, name } = pod;
  const { ready, updated } = facts;
  const revision = podRevision(pod, sidecarSet) ?? "";
  const changedAt = toMillis(readState(pod, sidecarSet)?.updateTimestamp);
  const about = { revision, ...(changedAt !== undefined && { changedAt }) };
  return { namespace, name, ready, updated, ...about, reason, detail, pairs: pairs.map(viewPair) };
}

function viewLacking(pod: PodProjection, name: string, sidecarSet: SidecarSet | undefined): PodView {
  const { namespace, ready } = pod;
  const missing = sidecarSet === undefined ? [] : missingContainers(pod, sidecarSet);
  return {
    namespace,
    name: pod.name,
    ready,
    updated: false,
    revision: podRevision(pod, name) ?? "",
    reason: "ContainerMissing",
    detail: missing.join(", "),
    pairs: hotPairs(pod, name, undefined).map(viewPair),
  };
}

function viewUninjected({ name, sidecarSet, others = [], pods, namespaces, isInjectable }: ViewInput): PodView[] {
  if (sidecarSet === undefined) return [];
  const prepared = prepareSidecarSets([sidecarSet, ...others]);
  const missing = pods.filter(
    (pod) => mayLack(pod, name) && isChosen(pod, name, { namespaces, isInjectable, prepared }),
  );
  return missing.map((pod) => ({
    namespace: pod.namespace,
    name: pod.name,
    ready: pod.ready,
    updated: false,
    revision: "",
    reason: isOlder(pod, sidecarSet) ? "OlderThanSidecarSet" : "NotInjected",
    detail: "",
    pairs: [],
  }));
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

function inOrder(pods: readonly PodView[]): PodView[] {
  return pods.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

function sortKey({ namespace, name }: PodView): string {
  return `${namespace}/${name}`;
}
