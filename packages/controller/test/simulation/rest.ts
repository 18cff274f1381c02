// SPDX-License-Identifier: Apache-2.0
import { RESOURCES } from "@hot/kube";
import {
  findCondition,
  HASH_ANNOTATION,
  REVISION_OWNER_LABEL,
  revisionData,
  type ControllerRevision,
  type Pod,
  type SidecarSet,
} from "@hot/spec";
import { canonicalJson } from "../../../spec/src/revision.ts";
import { projectPod, viewSidecarSet, type PodView } from "../../src/index.ts";
import type { Cluster } from "./cluster.ts";
import { fateOf, originOf } from "./images.ts";
import type { Machine } from "./machine.ts";
import {
  hashEntryOf,
  hasNoServingSide,
  isHeard,
  isSeenServing,
  isSilent,
  pairFacts,
  type PairFacts,
  type SideFacts,
} from "./pod-facts.ts";
import { isNewer, type Process } from "./process.ts";
import type { Scope } from "./scope.ts";
import type { World } from "./world.ts";

/** What the run has seen that a reason at its end may refer to. */
export interface Past {
  /** `<SidecarSet> <pod UID> <generation>` of upgrades that were aborted as failed. */
  readonly failures: ReadonlySet<string>;
  /** `<SidecarSet> <generation>`: then a pod had no side that served, whose failed upgrade can't be aborted. */
  readonly unserved: ReadonlySet<string>;
  /** For some time two replicas held themselves for the leader. */
  readonly hadTwoLeaders: boolean;
}

/**
 * What must be the case when faults and users have been quiet for a while: every pod has what is wanted, or says with a
 * reason that is true why it has not (I7); nothing is half done; and the status says the truth.
 */
export function checkRest(world: World, cluster: Cluster, past: Past): void {
  for (const pod of world.server.pods()) world.violate(processProblem(pod, cluster));
  for (const scope of cluster.scopes) checkSidecarSet(world, cluster, scope, past);
}

function checkSidecarSet(world: World, cluster: Cluster, scope: Scope, past: Past): void {
  const { server, scheduler } = world;
  const { name: sidecarSetName } = scope;
  const sidecarSet = server.sidecarSet(sidecarSetName);
  const pods = server.pods().filter((pod) => isInjected(pod, scope, cluster));
  const view = viewSidecarSet({
    name: sidecarSetName,
    ...(sidecarSet && { sidecarSet }),
    pods: pods.map(projectPod),
    namespaces: () => ({}),
    now: scheduler.now,
  });
  for (const pod of pods) {
    const name = `ns1/${pod.metadata.name}`;
    const shown = view.pods.find((one) => one.name === pod.metadata.name);
    const wrong = problemOf(pod, shown, { world, cluster, scope, sidecarSet, past, pods });
    if (wrong !== undefined) world.violate(`I7: ${name}: ${scope.name}: ${wrong}`);
  }
  if (sidecarSet === undefined) return;
  world.violate(statusProblem(sidecarSet, pods, scope, cluster));
  if (sidecarSet.status?.latestRevision !== undefined) world.violate(historyProblem(world, sidecarSet, scope, past));
}

function isInjected({ metadata }: Pod, { name }: Scope, { places }: Cluster): boolean {
  return places.get(`ns1/${metadata.name}`)?.injected.has(name) === true;
}

interface Sight {
  readonly world: World;
  readonly cluster: Cluster;
  readonly scope: Scope;
  readonly sidecarSet: SidecarSet | undefined;
  readonly past: Past;
  readonly pods: readonly Pod[];
}

function problemOf(
  pod: Pod,
  shown: PodView | undefined,
  { world, cluster, scope, sidecarSet, past, pods }: Sight,
): string | undefined {
  const pairs = scope.bases.map((base) => pairFacts(pod, base));
  const isSettled = pairs.every((pair) => pair.isSettled);
  const isHeld = (one: Pod): boolean => world.policy?.holds(one, isDown(one, cluster)) === true;
  if (sidecarSet === undefined) {
    const reason: string = shown?.reason ?? "nothing";
    const isTrue =
      isSettled ||
      reason === "EmptyImageUnknown" ||
      (isHeld(pod) && NEEDS_A_WRITE.has(reason)) ||
      isDown(pod, cluster) ||
      (NEW_SIDE_FAILED.has(reason) && isLeftToFail(pairs));
    return isTrue ? undefined : `half done, and reported as ${reason}`;
  }
  if (shown === undefined) return "not in the view";
  const { strategy } = scope.wish;
  const says = `reported as ${shown.reason} ${shown.detail}`;
  const generation = sidecarSet.metadata.generation ?? 0;
  const truth = (is: boolean): string | undefined => (is ? undefined : `${says}, which is not true`);
  const reason: string = shown.reason;
  if (isHeld(pod) && NEEDS_A_WRITE.has(reason)) {
    const { message = "" } = findCondition(sidecarSet.status?.conditions, "Ready") ?? {};
    return message.includes("PatchRejected") || isDown(pod, cluster)
      ? undefined
      : `its write is refused, and the status says ${message}`;
  }
  switch (reason) {
    case "UpToDate":
      return truth(isSettled && isUpdated(pod, scope, sidecarSet) && isReady(pod) && !isRewritten(pod, scope));
    case "ImageRewritten":
      return truth(isSettled && isUpdated(pod, scope, sidecarSet) && isReady(pod) && isRewritten(pod, scope));
    case "Paused":
      return truth(strategy.paused === true);
    case "NotUpdate":
      return truth(strategy.type === "NotUpdate");
    case "Partition":
      return truth(Number(strategy.partition ?? 0) > 0);
    case "FailedBefore":
      return truth(past.failures.has(`${scope.name} ${pod.metadata.uid} ${generation}`));
    case "Stalled":
      // With `Wait` a failure leaves no record.
      return truth(
        strategy.hotUpgrade?.onFailure === "Wait" ||
          // What can't be taken back has failed all the same.
          pods.some((other) => isHeld(other) && isHalfDone(other, scope)) ||
          past.unserved.has(`${scope.name} ${generation}`) ||
          [...past.failures].some((one) => one.startsWith(`${scope.name} `) && one.endsWith(` ${generation}`)),
      );
    case "MaxUnavailableReached":
      return truth(
        pods.some(
          (other) => other !== pod && !isGone(other, scope, cluster) && (!isReady(other) || isHalfDone(other, scope)),
        ),
      );
    case "NodeNotReady":
      return truth(isLost(pod, cluster) && isSilent(pod));
    case "Resetting":
    case "HookRunning":
      return isLost(pod, cluster) ? undefined : `stuck: ${says}`;
    case "NotUpgradable":
      return truth(isOtherwise(pod, pairs, scope, cluster));
    // What is left to crash again and again runs and is ready in between.
    case "Soaking":
    case "Migrating":
      return truth(
        isLeftToFail(pairs) && pairs.some(({ sides }) => sides.some((one) => fateOf(one.image) === "crash")),
      );
    case "Restarting":
    case "NotObserved":
    case "NotConsistent":
    case "StandbyBackOff":
    case "ImagePull":
    case "Contradictory":
    case "OldSideDown":
      return truth(isDown(pod, cluster));
    default:
      return NEW_SIDE_FAILED.has(reason)
        ? truth(isLeftToFail(pairs) || pairs.some(hasNoServingSide))
        : `stuck: ${says}`;
  }
}

/** What a view, which knows of no refusal and no receipt, says of a pod for which the next write may be made. */
const NEEDS_A_WRITE = new Set([
  "Upgrading",
  "Resetting",
  "RollingOut",
  "Migrating",
  "Soaking",
  "MaxUnavailableReached",
]);

const NEW_SIDE_FAILED = new Set([
  "ImagePullFailed",
  "PostStartHookFailed",
  "NewSideCrashed",
  "ProgressDeadlineExceeded",
]);

/** Whoever wished so: a new side that fails is not aborted. */
function isLeftToFail(pairs: readonly PairFacts[]): boolean {
  return pairs.some(({ record, isUpgrading }) => isUpgrading && record?.onFailure === "Wait");
}

/**
 * More than images differs from what is wanted. To this belongs an empty image that the pod was not injected with: whoever
 * finishes an upgrade that Kruise began takes the SidecarSet's, and the pod's hash is still that of the one before. And
 * where a webhook has rewritten the empty image, nothing tells any more which one the hash of the pod stands for.
 */
function isOtherwise(
  { metadata }: Pod,
  pairs: readonly PairFacts[],
  { name, wish }: Scope,
  { places }: Cluster,
): boolean {
  const injected = places.get(`ns1/${metadata.name}`)?.injected.get(name);
  const empties = pairs.flatMap(({ sides }) => sides.filter((side) => side.isEmpty).map((side) => side.image));
  const isOther = (image: string): boolean =>
    originOf(image) !== injected?.empty || (image !== injected.empty && wish.empty !== injected.empty);
  return injected?.env !== wish.env || empties.some(isOther);
}

/**
 * Lost, and the API shows it: nobody waits for it. Where the pod was not ready by itself, only a kubelet that says what it
 * has seen can be known to be silent; and a pod that has taken over and is not ready counts as any other that is not.
 */
function isGone(pod: Pod, { bases }: Scope, cluster: Cluster): boolean {
  const records = bases.flatMap((base) => pairFacts(pod, base).record ?? []);
  const isUnheard = records.some((record) => record.phase !== "reset" && !isHeard(pod, record));
  return isLost(pod, cluster) && (isSilent(pod) || isUnheard);
}

function isLost({ metadata }: Pod, cluster: Cluster): boolean {
  return cluster.isLost(`ns1/${metadata.name}`);
}

/** Something in it does not run for good, or nobody hears of it, is about to end again, or is left to fail. */
function isDown(pod: Pod, cluster: Cluster): boolean {
  const processes = [...(cluster.machines.get(`ns1/${pod.metadata.name}`)?.processes.values() ?? [])];
  return (
    isLost(pod, cluster) ||
    processes.some((one) => one.state !== "running" || isEnding(one, cluster) || hangs(one)) ||
    isLeftToFail(cluster.bases.map((base) => pairFacts(pod, base)))
  );
}

/** By itself, or by its hook, again and again. */
function isEnding({ image }: Process, { hasHook }: Cluster): boolean {
  const fate = fateOf(image);
  return fate === "crash" || (fate === "badhook" && hasHook);
}

/** Its hook ends it again and again, as in an upgrade by Kruise that nobody can finish, since its SidecarSet is gone. */
function hangs(process: Process): boolean {
  return process.isDud && isNewer(process) && !process.took;
}

function isReady({ status }: Pod): boolean {
  return status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
}

function isHalfDone(pod: Pod, { bases }: Scope): boolean {
  return bases.some((base) => {
    const { isSettled, serving, sides } = pairFacts(pod, base);
    return !isSettled || sides.some((side) => side !== serving && !isSeenServing(side));
  });
}

/** Hash and every serving image are what is wanted; of a pod in mid-upgrade the image that it upgrades to counts. */
function isUpdated(pod: Pod, scope: Scope, { metadata }: SidecarSet): boolean {
  const { wish } = scope;
  return (
    hashEntryOf(pod, wish.name) === metadata.annotations?.[HASH_ANNOTATION] &&
    imagesOf(pod, scope).every(([image, wanted]) => originOf(image) === wanted)
  );
}

/** A webhook has made others of them. */
function isRewritten(pod: Pod, scope: Scope): boolean {
  return imagesOf(pod, scope).some(([image, wanted]) => image !== wanted);
}

/** What serves, or is to serve, and what is wanted. */
function imagesOf(pod: Pod, { wish, bases, name: own }: Scope): [image: string, wanted: string | undefined][] {
  const cold = own === "mesh" ? pod.spec.containers.find(({ name }) => name === "c")?.image : undefined;
  const hot = bases.map((base): [string, string | undefined] => {
    const { sides } = pairFacts(pod, base);
    return [(sides[0].version > sides[1].version ? sides[0] : sides[1]).image, wish.hot[base]];
  });
  return cold === undefined && wish.cold === undefined ? hot : [...hot, [cold ?? "", wish.cold]];
}

/** Of a settled pair: who serves is who accepts, with the version that the annotation says. */
function processProblem(pod: Pod, cluster: Cluster): string | undefined {
  const name = `ns1/${pod.metadata.name}`;
  const machine = cluster.machines.get(name);
  for (const base of cluster.bases) {
    const { serving, sides } = pairFacts(pod, base);
    if (serving === undefined || machine === undefined || isLost(pod, cluster)) continue;
    const process = machine.of(serving.container);
    if (process.state !== "running" || fateOf(process.image) !== "runs") continue;
    const sockets = machine.socketsOf(serving.container);
    const owner = sockets?.owner === undefined ? undefined : sockets.sides[sockets.owner];
    if (owner !== process) return `I1: ${name}: ${serving.container} is to serve, and ${owner?.container} accepts`;
    if (process.version !== serving.version && !isKeptByKubelet(pod, machine, process, serving)) {
      return `I10: ${name}: ${serving.container} runs with VERSION ${process.version}, its annotation says ${serving.version}`;
    }
    const standby = sides.find((side) => side !== serving)!;
    if (machine.of(standby.container).image !== standby.image)
      return `I7: ${name}: ${standby.container} is not on its image`;
  }
  return undefined;
}

/**
 * Where an upgrade was aborted before the kubelet heard of the abort, the container may get the very image that runs
 * there by then once more: from Kruise, which does not wait for the kubelet, and from whoever cannot, as a kubelet
 * before Kubernetes 1.34 does not say what it has heard of. To the kubelet nothing has changed, so the process keeps
 * the VERSION of the first upgrade. It is less than the one given now, so that the order among the pair (I4) holds; the
 * next start of the container brings the other one.
 */
function isKeptByKubelet(pod: Pod, machine: Machine, process: Process, side: SideFacts): boolean {
  const { container, image, version } = side;
  const isEarlier = process.nth < (machine.nth.get(container) ?? 0) && process.version < version;
  const isBlind = pod.status?.observedGeneration === undefined || machine.byKruise.get(container) === String(version);
  return isBlind && process.image === image && isEarlier;
}

/** Ready and the counters, where no container comes and goes. */
function statusProblem(
  sidecarSet: SidecarSet,
  pods: readonly Pod[],
  scope: Scope,
  cluster: Cluster,
): string | undefined {
  if (pods.some((pod) => isDown(pod, cluster))) return undefined;
  const { status } = sidecarSet;
  const condition = findCondition(status?.conditions, "Ready");
  const { generation = 1 } = sidecarSet.metadata;
  if (condition?.observedGeneration !== generation || status?.observedGeneration !== generation) {
    return `status: of generation ${condition?.observedGeneration}, and it is ${generation}`;
  }
  const updated = pods.filter((pod) => isUpdated(pod, scope, sidecarSet));
  const isDone = (pod: Pod): boolean => isReady(pod) && !isHalfDone(pod, scope);
  const counts = {
    matchedPods: pods.length,
    updatedPods: updated.length,
    readyPods: pods.filter(isDone).length,
    updatedReadyPods: updated.filter(isDone).length,
  };
  for (const [field, count] of Object.entries(counts)) {
    const said = status?.[field as keyof typeof counts];
    if (said !== count) return `status: ${field} ${said}, and it is ${count}`;
  }
  const { partition = 0 } = scope.wish.strategy;
  const wanted = pods.length - Math.min(Number(partition), pods.length);
  const isAllReady = updated.length >= wanted && updated.every(isDone) && pods.every((pod) => !isHalfDone(pod, scope));
  if ((condition.status === "True") !== isAllReady) return `status: Ready ${condition.status}: ${condition.message}`;
  return undefined;
}

/** The history ends with the SidecarSet as it is, each number is there once, and what is needed has not been deleted. */
function historyProblem(
  { server }: World,
  sidecarSet: SidecarSet,
  { wasDeleted }: Scope,
  past: Past,
): string | undefined {
  const { name } = sidecarSet.metadata;
  const all = server.list(RESOURCES.controllerRevisions).items as ControllerRevision[];
  const own = all.filter(({ metadata }) => metadata.labels?.[REVISION_OWNER_LABEL] === name);
  const order = ({ revision, metadata }: ControllerRevision): string =>
    `${String(revision).padStart(6, "0")} ${metadata.name}`;
  const newest = own.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)).at(-1);
  const { latestRevision, lastGoodRevision } = sidecarSet.status ?? {};
  if (newest?.metadata.name !== latestRevision)
    return `history of ${name}: ends with ${newest?.metadata.name}, the status says ${latestRevision}`;
  if (canonicalJson(newest?.data) !== revisionData(sidecarSet))
    return `history of ${name}: does not end with what it is`;
  // Each of two leaders may give the next number, as a creation has no version that would tell the second one. What is
  // newest then gets one of its own; two that have become older in between share theirs.
  const counted = past.hadTwoLeaders ? own.filter(({ revision }) => revision === newest?.revision) : own;
  if (new Set(counted.map(({ revision }) => revision)).size < counted.length)
    return `history of ${name}: a number is there twice`;
  // The garbage collector takes what an earlier SidecarSet of that name had.
  const isThere =
    wasDeleted || lastGoodRevision === undefined || own.some(({ metadata }) => metadata.name === lastGoodRevision);
  return isThere ? undefined : `history of ${name}: the last good revision ${lastGoodRevision} is gone`;
}
