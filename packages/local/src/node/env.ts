// SPDX-License-Identifier: Apache-2.0
import type { Container, EnvVar, Pod } from "@hot/spec";

/** The facts of a start that the API object does not hold. */
export interface EnvContext {
  podIP: string;
  hostIP: string;
}

/** A container cannot start because of its configuration; the kubelet's CreateContainerConfigError. */
export class EnvError extends Error {
  override name = "EnvError";
}

/**
 * The env of a container at this moment: it is resolved once, at the start, and does not follow later changes of the pod.
 * `base` (the image's env) lies below the container's own. Throws an `EnvError` that names the variable.
 */
export function resolveEnv(
  container: Container,
  pod: Pod,
  context: EnvContext,
  base: Readonly<Record<string, string>> = {},
): Record<string, string> {
  if (container.envFrom !== undefined && container.envFrom.length > 0) {
    throw new EnvError(
      `container "${container.name}": envFrom is not supported by the local node; list the variables in env`,
    );
  }
  const own: Record<string, string> = {};
  for (const variable of container.env ?? []) {
    own[variable.name] =
      variable.valueFrom === undefined ? expand(variable.value ?? "", own) : fromSource(variable, pod, context);
  }
  return { ...base, ...own };
}

function fromSource(variable: EnvVar, pod: Pod, context: EnvContext): string {
  const path = variable.valueFrom?.fieldRef?.fieldPath;
  if (path === undefined) {
    throw new EnvError(`env "${variable.name}": the local node supports fieldRef only; give the value itself instead`);
  }
  const value = fieldValue(path, pod, context);
  if (value === undefined) throw new EnvError(`env "${variable.name}": field path "${path}" is not supported`);
  return value;
}

const KEYED = /^metadata\.(annotations|labels)\['(.+)'\]$/;

function fieldValue(path: string, pod: Pod, context: EnvContext): string | undefined {
  const keyed = KEYED.exec(path);
  if (keyed !== null) {
    const map = keyed[1] === "labels" ? pod.metadata.labels : pod.metadata.annotations;
    return map?.[keyed[2] ?? ""] ?? "";
  }
  switch (path) {
    case "metadata.name":
      return pod.metadata.name ?? "";
    case "metadata.namespace":
      return pod.metadata.namespace ?? "";
    case "metadata.uid":
      return pod.metadata.uid ?? "";
    case "spec.nodeName":
      return pod.spec.nodeName ?? "";
    case "spec.serviceAccountName":
      return typeof pod.spec["serviceAccountName"] === "string" ? pod.spec["serviceAccountName"] : "";
    case "status.podIP":
    case "status.podIPs":
      return context.podIP;
    case "status.hostIP":
    case "status.hostIPs":
      return context.hostIP;
    default:
      return undefined;
  }
}

const REFERENCE = /\$\$|\$\(([^()]*)\)/g;

/** `$(NAME)` → its value, an unknown name stays as it is written, `$$` → `$`: the rule for env values, command and args. */
export function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(REFERENCE, (whole, name?: string) => {
    if (name === undefined) return "$";
    return Object.hasOwn(values, name) ? (values[name] ?? whole) : whole;
  });
}
