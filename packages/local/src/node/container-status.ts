// SPDX-License-Identifier: Apache-2.0
import type { Container, ContainerState, ContainerStatus } from "@hot/spec";
import { timestamp } from "./timestamp.ts";
import { mayStart, type RestartPolicy } from "./container.ts";
import type { Instance } from "./instance.ts";

/** Why the last attempt to start a container failed, as `state.waiting` shows it. */
export interface WaitingReason {
  reason: string;
  message: string;
}

export interface ContainerView {
  container: Container;
  /** Newest first, at most two: what runs or ended last, and the one before. */
  instances: readonly Instance[];
  waiting: WaitingReason | undefined;
  /** Reason of a container that never ran: ContainerCreating or PodInitializing. */
  initialReason: string;
  policy: RestartPolicy;
  ready: boolean;
  started: boolean;
  deleting: boolean;
}

/** `status.containerStatuses[]` as a kubelet writes it. */
export function containerStatus(view: ContainerView): ContainerStatus {
  const [instance, before] = view.instances;
  const waiting = mayStart(instance, view.policy) && !view.deleting ? view.waiting : undefined;
  if (instance === undefined) {
    const { name, image = "" } = view.container;
    const state = { waiting: waiting === undefined ? { reason: view.initialReason } : { ...waiting } };
    return { name, image, imageID: "", lastState: {}, ready: false, started: false, restartCount: 0, state };
  }
  const status: ContainerStatus = {
    name: view.container.name,
    image: instance.reportedImage,
    imageID: instance.imageID,
    containerID: instance.id,
    lastState: before === undefined ? {} : stateOf(before),
    ready: view.ready,
    restartCount: instance.restartCount,
    started: view.started,
    state: stateOf(instance),
  };
  if (waiting === undefined) return status;
  return { ...status, lastState: stateOf(instance), state: { waiting: { ...waiting } } };
}

function stateOf(instance: Instance): ContainerState {
  const startedAt = timestamp(instance.startedAt);
  if (instance.exit === undefined) return { running: { startedAt } };
  const { code, reason, message, finishedAt } = instance.exit;
  return {
    terminated: {
      containerID: instance.id,
      exitCode: code,
      reason,
      ...(message === undefined ? {} : { message }),
      startedAt,
      finishedAt: timestamp(finishedAt),
    },
  };
}
