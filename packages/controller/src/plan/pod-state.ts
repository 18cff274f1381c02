// SPDX-License-Identifier: Apache-2.0
import type { RolloutReason } from "@hot/spec";
import { toMillis } from "../instant.ts";
import type { Side } from "./hot-pair.ts";
import type { ContainerObservation, ContainerProjection, PodProjection } from "./pod-projection.ts";
import type { UpgradeRecord } from "./record.ts";
import { receiptKey, type ReceiptTimes } from "./snapshot.ts";
import { onSpecImage } from "./spec-image.ts";

/** Observed running, ready and on its spec image: the only state in which a side's sibling may be emptied. */
export function observedServing(side: Side): boolean {
  const { status } = side.container;
  return status?.runningSince !== undefined && status.ready && status.started && onSpecImage(side);
}

/** The kubelet has seen the pod as it is written now. Before Kubernetes 1.34 it does not say, and the term is skipped. */
export function generationObserved(pod: PodProjection, generation = pod.generation): boolean {
  return pod.observedGeneration === undefined || pod.observedGeneration >= generation;
}

/**
 * Nobody on the node has said a word since this write: its kubelet has never seen it, where kubelets say what they have
 * seen, or the node does not answer.
 */
export function isUnheard(pod: PodProjection, { generation }: UpgradeRecord): boolean {
  return pod.silent === true || !generationObserved(pod, generation);
}

/** Longer than a cache is behind, in milliseconds. */
const BEHIND = 60_000;

/**
 * From when on an upgrade or an abort that no kubelet has seen disturbs nobody, in epoch milliseconds: whatever hook the
 * kubelet might have been in has ended by then. Undefined: it has been seen.
 */
export function givenUpAt(pod: PodProjection, record: UpgradeRecord | undefined): number | undefined {
  if (record === undefined || record.phase === "reset" || generationObserved(pod, record.generation)) return undefined;
  // That write has found the pod as it was seen.
  return record.unanswered === true ? 0 : (toMillis(record.deadlineAt) ?? 0) + BEHIND;
}

/** Why a standby is not yet observed on its image and ready; undefined when it is. */
export function standbyWait(
  pod: PodProjection,
  side: Side,
  record: UpgradeRecord | undefined,
  now: number,
): RolloutReason | undefined {
  const { container } = side;
  if (generationObserved(pod) && observedServing(side)) {
    return mayBeInHook(pod, container, record, now) ? "HookRunning" : undefined;
  }
  const waiting = container.status?.waiting;
  if (waiting === "CrashLoopBackOff") return "StandbyBackOff";
  if (waiting !== undefined && isPullProblem(waiting)) return "ImagePull";
  if (record?.phase === "abort" && !record.unanswered && container.status?.runningSince !== undefined)
    return "HookRunning";
  if (record?.phase === "reset" && !onSpecImage(side)) return "Resetting";
  return "NotObserved";
}

/**
 * Before Kubernetes 1.34 nothing tells a standby that was never replaced from one whose aborted successor is still in its
 * hook, unreported. Such a pod waits until the container has changed, or until the hook must have ended.
 */
function mayBeInHook(
  pod: PodProjection,
  { status }: ContainerProjection,
  record: UpgradeRecord | undefined,
  now: number,
): boolean {
  return (
    pod.observedGeneration === undefined &&
    record?.phase === "abort" &&
    status?.containerID === record.containerID &&
    now < (toMillis(record.deadlineAt) ?? now)
  );
}

const PULL_PROBLEMS = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "ImageInspectError",
  "RegistryUnavailable",
  "SignatureValidationFailed",
]);

function isPullProblem(reason: string): boolean {
  return PULL_PROBLEMS.has(reason);
}

/** Proof that the new side has taken over, as far as it goes. */
export type Receipt =
  | { readonly state: "none" }
  /** Ready, but this may be left over from the previous instance: the deadline still counts. */
  | { readonly state: "proving"; readonly key: string; readonly since: number; readonly until: number }
  | { readonly state: "soaking"; readonly key: string; readonly since: number; readonly until: number }
  | { readonly state: "complete"; readonly key: string; readonly since: number };

const STEADY = 3000;

/** Reads the receipt of the target side of an upgrade. */
export function receiptOf(
  pod: PodProjection,
  side: Side,
  record: UpgradeRecord,
  times: ReceiptTimes,
  now: number,
): Receipt {
  const { container } = side;
  const { status } = container;
  // Where the image is not the one that was written, somebody may have changed it since.
  const generation = container.image === record.to ? record.generation : pod.generation;
  const reported =
    status !== undefined && generationObserved(pod, generation) && isReplaced(status, record) && observedServing(side);
  if (!reported) return { state: "none" };
  const key = receiptKey(pod, container.name, status.containerID);
  const since = times.get(key) ?? now;
  const proven = since + leftOver(pod, container);
  if (now < proven) return { state: "proving", key, since, until: proven };
  const until = Math.max(proven, since + record.minReady * 1000);
  return now < until ? { state: "soaking", key, since, until } : { state: "complete", key, since };
}

/**
 * Whether the container is another one than before the write. Of an adopted upgrade only the imageID before it is known:
 * if that one still runs, the empty image in between was never carried out, and the process is the old one.
 */
function isReplaced({ containerID, imageID }: ContainerObservation, record: UpgradeRecord): boolean {
  if (containerID === "") return false;
  if (record.containerID !== "") return containerID !== record.containerID;
  return record.imageID === "" || imageID !== record.imageID;
}

/**
 * How long ready has to be steady before it counts, in milliseconds, since it may be left over from the old instance:
 * with only a startupProbe the kubelet first reports a new container as the old one was, and ContainersReady may turn
 * true meanwhile by another container; and a kubelet that has started more than 10 s after the container takes it for
 * ready, if the pod was, until its readinessProbe has failed as often as its threshold says. That one ContainersReady
 * turning true after the start rules out.
 */
function leftOver(pod: PodProjection, container: ContainerProjection): number {
  const { probe, startupPeriod, readinessLimit, status } = container;
  if (probe === "startup") return STEADY + 2 * startupPeriod;
  if (probe === "none") return 0;
  const started = status?.runningSince ?? 0;
  const turned = pod.containersReadyAt;
  // In a pod that is not ready no kubelet lets it be left over. Times are whole seconds: most upgrades take less.
  return turned === undefined || turned >= started ? 0 : STEADY + readinessLimit;
}

/** Why the new side can't succeed by itself; undefined while nothing is known against it. */
export function newSideFailure(
  pod: PodProjection,
  side: Side,
  record: UpgradeRecord,
): { reason: RolloutReason; detail: string } | undefined {
  const { container } = side;
  const { status } = container;
  if (status === undefined || !generationObserved(pod, record.generation)) return undefined;
  const { waiting, waitingMessage = "", terminated, lastTerminated } = status;
  // The kubelet keeps the reason until its next attempt has ended.
  const mayBeLeft = record.instead === true;
  if (!mayBeLeft && waiting !== undefined && isPullProblem(waiting)) {
    return { reason: "ImagePullFailed", detail: `${container.image}: ${[waiting, waitingMessage].join(" ").trim()}` };
  }
  if (!mayBeLeft && waiting === "PostStartHookError") {
    return { reason: "PostStartHookFailed", detail: `${container.name}: ${waitingMessage}`.replace(/: $/, "") };
  }
  // The end of the previous (empty) container is part of every upgrade; only another instance's end is a crash.
  const ended = terminated ?? (waiting === "CrashLoopBackOff" ? lastTerminated : undefined);
  const own =
    ended !== undefined &&
    ended.containerID !== record.containerID &&
    status.containerID !== record.containerID &&
    (status.imageID === "" || status.imageID !== record.imageID);
  if (!own || !onSpecImage(side)) return undefined;
  return { reason: "NewSideCrashed", detail: `${container.name} ended with exit code ${ended.exitCode}` };
}
