// SPDX-License-Identifier: Apache-2.0
import type { ContainerState, ContainerStatus, Pod, PodCondition, PodStatus } from "@hot/spec";
import { digestOf } from "./images.ts";
import type { Machine } from "./machine.ts";
import type { Process } from "./process.ts";
import type { World } from "./world.ts";

/** What a kubelet reports of a pod that it has read, by what runs. */
export function statusOf(
  { scheduler }: World,
  pod: Pod,
  machine: Machine,
  isOld: boolean,
  last: PodStatus | undefined,
): PodStatus {
  const before = last ?? pod.status ?? {};
  const reported = new Map(before.containerStatuses?.map((one) => [one.name, one]));
  const containerStatuses = pod.spec.containers.map(({ name }) =>
    statusOfContainer(machine.of(name), reported.get(name)),
  );
  const ready = containerStatuses.every((one) => one.ready);
  const condition = (type: string): PodCondition => {
    const known = before.conditions?.find((one) => one.type === type);
    const status = ready ? "True" : "False";
    return known?.status === status ? known : { type, status, lastTransitionTime: seconds(scheduler.now) };
  };
  const { observedGeneration: _, ...rest } = before;
  return {
    ...rest,
    phase: "Running",
    ...(!isOld && { observedGeneration: pod.metadata.generation ?? 1 }),
    conditions: [condition("Ready"), condition("ContainersReady")],
    containerStatuses,
  };
}

/** As the node controller leaves a pod whose kubelet is silent: everything else is as it was. */
export function notReady(pod: Pod, now: number): Pod {
  const conditions = pod.status?.conditions?.map((one) =>
    one.type === "Ready" && one.status === "True"
      ? { ...one, status: "False" as const, lastTransitionTime: seconds(now) }
      : one,
  );
  return { ...pod, status: { ...pod.status, ...(conditions && { conditions }) } };
}

function statusOfContainer(process: Process, before: ContainerStatus | undefined): ContainerStatus {
  const { container, image, containerID, state, ready, started, restarts } = process;
  const isRunning = state === "running";
  const lastState = before?.containerID === containerID ? before.lastState : stateOfEnd(before?.containerID);
  const common = { name: container, restartCount: restarts, ready: isRunning && ready, started: isRunning && started };
  // A container that could not be made leaves image and ID of the one before.
  const shown =
    state === "ErrImagePull" || (state === "CrashLoopBackOff" && before?.containerID === containerID)
      ? { image: before?.image ?? image, imageID: before?.imageID ?? digestOf(image) }
      : { image, imageID: digestOf(image) };
  const now = stateNow(process);
  return { ...common, ...shown, containerID, state: now, ...lastOf(process, lastState) };
}

function stateNow({ state, startedAt, containerID }: Process): ContainerState {
  if (state === "running") return { running: { startedAt: seconds(startedAt) } };
  if (state === "ended") return { terminated: { exitCode: 1, containerID } };
  return { waiting: { reason: state } };
}

/** Of a container in back-off the last end is its own. */
function lastOf(process: Process, before: ContainerState | undefined): { lastState: ContainerState } | undefined {
  if (process.state === "CrashLoopBackOff" || process.state === "PostStartHookError") {
    return { lastState: stateOfEnd(process.containerID) ?? {} };
  }
  return before === undefined ? undefined : { lastState: before };
}

function stateOfEnd(containerID: string | undefined): ContainerState | undefined {
  return containerID === undefined ? undefined : { terminated: { exitCode: 1, containerID } };
}

/** Kubernetes' times are whole seconds. */
export function seconds(millis: number): string {
  return new Date(Math.floor(millis / 1000) * 1000).toISOString().replace(".000Z", "Z");
}
