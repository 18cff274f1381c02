// SPDX-License-Identifier: Apache-2.0
import type { Container } from "@hot/spec";
import type { Instance } from "./instance.ts";

/** `spec.restartPolicy` of a pod; the API server fills in `Always`. */
export type RestartPolicy = "Always" | "OnFailure" | "Never";

export function restartPolicyOf(value: string | undefined): RestartPolicy {
  return value === "OnFailure" || value === "Never" ? value : "Always";
}

/** What the probes say about one running instance. */
export interface Health {
  /** The liveness probe has failed as often as its threshold. */
  livenessFailed: boolean;
  startupFailed: boolean;
}

/** What to do with one container, and why. */
export type ContainerDecision =
  | { do: "keep" }
  /** It has ended and is not to run again. */
  | { do: "done" }
  | { do: "start" }
  | { do: "kill"; thenStart: boolean; cause: KillCause; message: string };

export type KillCause = "changed" | "liveness" | "startup";

/** Whether a container that is not running has to run (again). */
export function mayStart(instance: Instance | undefined, policy: RestartPolicy): boolean {
  if (instance === undefined) return true;
  if (instance.exit === undefined) return false;
  return policy === "Always" || (policy === "OnFailure" && instance.exit.code !== 0);
}

/**
 * Desired × observed → decision for one app container. The only field that can change in place is the image (the kubelet's
 * container hash is name + image), and a change of it restarts the container whatever the restart policy says.
 */
export function decideContainer(
  container: Container,
  instance: Instance | undefined,
  policy: RestartPolicy,
  health: Health,
): ContainerDecision {
  const { name } = container;
  if (instance === undefined || instance.exit !== undefined) {
    return mayStart(instance, policy) ? { do: "start" } : { do: "done" };
  }
  if (instance.image !== container.image) {
    return { do: "kill", thenStart: true, cause: "changed", message: `Container ${name} definition changed` };
  }
  const thenStart = policy !== "Never";
  if (health.livenessFailed) {
    return { do: "kill", thenStart, cause: "liveness", message: `Container ${name} failed liveness probe` };
  }
  if (health.startupFailed) {
    return { do: "kill", thenStart, cause: "startup", message: `Container ${name} failed startup probe` };
  }
  return { do: "keep" };
}
