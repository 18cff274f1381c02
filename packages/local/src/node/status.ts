// SPDX-License-Identifier: Apache-2.0
import type { Container, ContainerStatus, Pod, PodStatus } from "@hot/spec";
import { timestamp } from "./timestamp.ts";
import { makeConditions } from "./conditions.ts";
import { restartPolicyOf } from "./container.ts";
import { containerStatus, type WaitingReason } from "./container-status.ts";
import type { Instance } from "./instance.ts";
import { phaseOf } from "./phase.ts";
import { isInitialized } from "./pod.ts";

export interface StatusInput {
  pod: Pod;
  instances: readonly Instance[];
  podIP: string | undefined;
  hostIP: string;
  /** Of the last failed attempt to start each container. */
  reasons: ReadonlyMap<string, WaitingReason>;
  /** What the probes say about an instance. */
  ready: (instance: Instance) => boolean;
  started: (instance: Instance) => boolean;
  /** All containers have been ended for good because the pod is deleted. */
  terminated: boolean;
  /** The status as it was set last: source of transition times. */
  previous: PodStatus;
  now: number;
}

/** The pod status that follows from what runs: a pure function, written whole each time. */
export function makePodStatus(input: StatusInput): PodStatus {
  const { pod, instances, podIP, hostIP, previous, now } = input;
  const { initContainers = [], containers, restartPolicy } = pod.spec;
  const initStatuses = initContainers.map((container) => view(input, container, true));
  const statuses = containers.map((container) => view(input, container, false));
  const initialized = isInitialized(pod, instances);
  const policy = restartPolicyOf(restartPolicy);
  const phase = phaseOf({ statuses, initStatuses, initialized, policy, terminated: input.terminated });
  const { generation } = pod.metadata;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    conditions: makeConditions({
      phase,
      statuses,
      initStatuses,
      initialized,
      sandboxReady: podIP !== undefined,
      generation,
      previous: previous.conditions ?? [],
      now,
    }),
    hostIP,
    hostIPs: [{ ip: hostIP }],
    ...(podIP === undefined ? {} : { podIP, podIPs: [{ ip: podIP }] }),
    startTime: previous.startTime ?? timestamp(now),
    ...(initStatuses.length === 0 ? {} : { initContainerStatuses: initStatuses }),
    containerStatuses: statuses,
  };
}

function view(input: StatusInput, container: Container, init: boolean): ContainerStatus {
  const { pod } = input;
  const instances = input.instances.filter((instance) => instance.container === container.name);
  const [instance] = instances;
  const running = instance !== undefined && instance.exit === undefined;
  const policy = restartPolicyOf(pod.spec.restartPolicy);
  return containerStatus({
    container,
    instances,
    waiting: input.reasons.get(container.name),
    initialReason: (pod.spec.initContainers ?? []).length > 0 ? "PodInitializing" : "ContainerCreating",
    policy: init && policy === "Always" ? "OnFailure" : policy,
    ready: init ? instance?.exit?.code === 0 : running && input.ready(instance),
    started: running && (init || input.started(instance)),
    deleting: pod.metadata.deletionTimestamp !== undefined,
  });
}

/**
 * The same status with the probes' word on one container changed, and the conditions that follow. It names the instance:
 * while a hook runs the status still shows the one before, and that one must not become ready by its successor.
 */
export function withProbeResult(
  status: PodStatus,
  id: string,
  change: { ready?: boolean; started?: boolean },
  now: number,
): PodStatus {
  const statuses = status.containerStatuses ?? [];
  const matches = (one: ContainerStatus): boolean => one.containerID === id && one.state?.running !== undefined;
  if (!statuses.some(matches)) return status;
  const changed = statuses.map((one) => (matches(one) ? { ...one, ...change } : one));
  const conditions = makeConditions({
    phase: status.phase ?? "Pending",
    statuses: changed,
    initStatuses: status.initContainerStatuses ?? [],
    initialized: status.conditions?.some((c) => c.type === "Initialized" && c.status === "True") ?? false,
    sandboxReady: status.podIP !== undefined,
    generation: status.observedGeneration,
    previous: status.conditions ?? [],
    now,
  });
  return { ...status, conditions, containerStatuses: changed };
}
