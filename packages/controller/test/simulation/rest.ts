// SPDX-License-Identifier: Apache-2.0
import { findCondition, type Pod, type SidecarSet } from "@hot/spec";
import { projectPod, viewSidecarSet, type PodView } from "../../src/index.ts";
import type { Cluster } from "./cluster.ts";
import { historyProblem } from "./history-at-rest.ts";
import { fateOf } from "./images.ts";
import { hasNoServingSide, isSilent, pairFacts } from "./pod-facts.ts";
import {
  isDown,
  isGone,
  isHalfDone,
  isLeftToFail,
  isLost,
  isOtherwise,
  isReady,
  isRewritten,
  isUpdated,
} from "./pod-truth.ts";
import { processProblem } from "./process-at-rest.ts";
import type { Scope } from "./scope.ts";
import { statusProblem } from "./status-at-rest.ts";
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
  if (sidecarSet.status?.latestRevision !== undefined)
    world.violate(historyProblem(world, sidecarSet, scope, past.hadTwoLeaders));
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
    if (message.includes("PatchRejected") || isDown(pod, cluster)) return undefined;
    // The write may have been another SidecarSet's, while this one waits for other pods.
    if (reason !== "MaxUnavailableReached") return `its write is refused, and the status says ${message}`;
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
