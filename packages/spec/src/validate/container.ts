// SPDX-License-Identifier: Apache-2.0
import type { Container, Volume } from "../container.ts";
import { duplicate, fieldError, forbidden, invalid, notSupported, required, type FieldErrors } from "../field-error.ts";
import { dnsLabelProblem } from "../label-name.ts";
import type { SidecarSetSpec } from "../sidecar-set.ts";
import { validateEnv } from "./env.ts";
import { validateMounts } from "./mounts.ts";
import { validateHostPorts, validatePorts } from "./port.ts";
import { validateProbes } from "./probe.ts";
import { validateResources } from "./resources.ts";
import { validateSecurityContext } from "./security-context.ts";
import { validateSidecarFields } from "./sidecar-fields.ts";

const PULL_POLICIES = ["Always", "IfNotPresent", "Never"];
const MESSAGE_POLICIES = ["File", "FallbackToLogsOnError"];

/** All containers, by Kubernetes' rules for a pod that has nothing but them and the SidecarSet's volumes. */
export function* validateContainers(spec: SidecarSetSpec): FieldErrors {
  const { containers = [], initContainers = [] } = spec;
  if (containers.length + initContainers.length === 0)
    yield fieldError("ContainersMissing", "FieldValueRequired", "spec", undefined);
  const volumes = new Map((spec.volumes ?? []).map((volume) => [volume.name, volume]));
  const names = new Set<string>();
  for (const [index, container] of containers.entries()) {
    const path = `spec.containers[${index}]`;
    yield* validateName(container.name, names, path);
    yield* validateCore(container, "container", volumes, path);
    yield* validateSidecarFields(container, "container", path);
    if (container.restartPolicy !== undefined)
      yield forbidden(`${path}.restartPolicy`, container.restartPolicy, "Only an init container has a restartPolicy.");
  }
  yield* validateHostPorts(containers, "spec.containers");
  for (const [index, container] of initContainers.entries()) {
    const path = `spec.initContainers[${index}]`;
    const kind = container.restartPolicy === "Always" ? "native" : "init";
    yield* validateName(container.name, names, path);
    yield* validateCore(container, kind, volumes, path);
    yield* validateSidecarFields(container, kind, path);
    yield* validateHostPorts([container], "spec.initContainers", index);
    if (container.restartPolicy !== undefined && kind === "init")
      yield notSupported(`${path}.restartPolicy`, container.restartPolicy, ["Always"]);
  }
}

function* validateName(name: string, names: Set<string>, path: string): FieldErrors {
  if (!name) {
    yield required(`${path}.name`);
    return;
  }
  const problem = dnsLabelProblem(name);
  if (problem !== undefined) yield invalid(`${path}.name`, name, `It ${problem}.`);
  if (names.has(name)) yield duplicate(`${path}.name`, name);
  names.add(name);
}

function* validateCore(
  container: Container,
  kind: "container" | "native" | "init",
  volumes: ReadonlyMap<string, Volume>,
  path: string,
): FieldErrors {
  const { image, imagePullPolicy, terminationMessagePolicy } = container;
  if (!image) yield required(`${path}.image`);
  else if (image !== image.trim()) yield invalid(`${path}.image`, image, "It must not begin or end with a space.");
  if (!imagePullPolicy) yield required(`${path}.imagePullPolicy`);
  else if (!PULL_POLICIES.includes(imagePullPolicy))
    yield notSupported(`${path}.imagePullPolicy`, imagePullPolicy, PULL_POLICIES);
  if (!terminationMessagePolicy) yield required(`${path}.terminationMessagePolicy`);
  else if (!MESSAGE_POLICIES.includes(terminationMessagePolicy))
    yield notSupported(`${path}.terminationMessagePolicy`, terminationMessagePolicy, MESSAGE_POLICIES);
  yield* validatePorts(container, path);
  yield* validateEnv(container, path);
  yield* validateMounts(container, volumes, path);
  yield* validateProbes(container, kind, path);
  yield* validateResources(container, kind, path);
  yield* validateSecurityContext(container, path);
}
