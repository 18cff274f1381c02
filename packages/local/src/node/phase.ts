// SPDX-License-Identifier: Apache-2.0
import type { ContainerStatus, PodStatus } from "@hot/spec";
import type { RestartPolicy } from "./container.ts";

export type Phase = NonNullable<PodStatus["phase"]>;

/** The pod's phase by the kubelet's rules. */
export function phaseOf(facts: {
  statuses: readonly ContainerStatus[];
  initStatuses: readonly ContainerStatus[];
  initialized: boolean;
  policy: RestartPolicy;
  /** The pod is deleted and all its containers have ended. */
  terminated: boolean;
}): Phase {
  const { statuses, initStatuses, initialized, policy, terminated } = facts;
  const exitCodes = statuses.map(lastExit);
  if (terminated) return exitCodes.every((code) => code === 0) ? "Succeeded" : "Failed";
  if (!initialized) {
    const failed = initStatuses.some((one) => (lastExit(one) ?? 0) !== 0);
    return failed && policy === "Never" ? "Failed" : "Pending";
  }
  const running = statuses.some((one) => one.state?.running !== undefined);
  if (exitCodes.some((code, i) => code === undefined && statuses[i]?.state?.running === undefined)) return "Pending";
  if (running || policy === "Always") return "Running";
  if (exitCodes.every((code) => code === 0)) return "Succeeded";
  return policy === "Never" ? "Failed" : "Running";
}

/** Exit code of what ended last; a container that waits for its restart has it in `lastState`. */
function lastExit({ state, lastState }: ContainerStatus): number | undefined {
  return (state?.terminated ?? (state?.running === undefined ? lastState?.terminated : undefined))?.exitCode;
}
