// SPDX-License-Identifier: Apache-2.0
import type { Container, Pod } from "@hot/spec";
import { decideContainer, mayStart, restartPolicyOf, type Health, type KillCause } from "./container.ts";
import { newest, type Instance } from "./instance.ts";

export interface PodPlan {
  kill: { instance: Instance; container: Container; cause: KillCause; message: string }[];
  start: { container: Container; init: boolean }[];
}

const NOTHING: PodPlan = { kill: [], start: [] };

/**
 * Desired × observed → actions for a pod that is not being deleted. All kills come before all starts, and each is done to
 * its end before the next one begins: that is why a hook that hangs holds up everything else of its pod.
 */
export function planPod(pod: Pod, instances: readonly Instance[], health: (instance: Instance) => Health): PodPlan {
  const policy = restartPolicyOf(pod.spec.restartPolicy);
  if (!isInitialized(pod, instances)) {
    const next = nextInit(pod, instances);
    return next === undefined ? NOTHING : { kill: [], start: [{ container: next, init: true }] };
  }
  const plan: PodPlan = { kill: [], start: [] };
  for (const container of pod.spec.containers) {
    const instance = newest(instances, container.name);
    const decision = decideContainer(container, instance, policy, instance === undefined ? HEALTHY : health(instance));
    if (decision.do === "kill" && instance !== undefined) {
      plan.kill.push({ instance, container, cause: decision.cause, message: decision.message });
    }
    if (decision.do === "start" || (decision.do === "kill" && decision.thenStart)) {
      plan.start.push({ container, init: false });
    }
  }
  return plan;
}

const HEALTHY: Health = { livenessFailed: false, startupFailed: false };

/** All init containers have succeeded; once an app container has run they never run again. */
export function isInitialized(pod: Pod, instances: readonly Instance[]): boolean {
  if (instances.some((instance) => !instance.init)) return true;
  return (pod.spec.initContainers ?? []).every(({ name }) => newest(instances, name)?.exit?.code === 0);
}

/** Init containers run one after the other; the first that has not succeeded is the one to start, if it may. */
function nextInit(pod: Pod, instances: readonly Instance[]): Container | undefined {
  const first = (pod.spec.initContainers ?? []).find(({ name }) => newest(instances, name)?.exit?.code !== 0);
  if (first === undefined) return undefined;
  // with `Always` a failed init container is tried again as with `OnFailure`
  const policy = restartPolicyOf(pod.spec.restartPolicy) === "Never" ? "Never" : "OnFailure";
  return mayStart(newest(instances, first.name), policy) ? first : undefined;
}
