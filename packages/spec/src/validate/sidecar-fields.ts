// SPDX-License-Identifier: Apache-2.0
import { fieldError, invalid, notSupported, required, type FieldErrors } from "../field-error.ts";
import { qualifiedNameProblem } from "../label-name.ts";
import { compileRe2 } from "../re2.ts";
import type { SidecarContainer, TransferEnv } from "../sidecar-set.ts";

const INJECT_POLICIES = ["BeforeAppContainer", "AfterAppContainer"];
const SHARE_TYPES = ["enabled", "disabled"];
const UPGRADE_TYPES = ["ColdUpgrade", "HotUpgrade"];
const MODES = ["sum", "max"];
const SUBSCRIPT = /^metadata\.(labels|annotations)\['(.*)'\]$/;

/** What a sidecar container has beyond a Kubernetes container, the hot upgrade aside. */
export function* validateSidecarFields(
  container: SidecarContainer,
  kind: "container" | "native" | "init",
  path: string,
): FieldErrors {
  const enums: [string, string | undefined, string[]][] = [
    ["podInjectPolicy", container.podInjectPolicy, INJECT_POLICIES],
    ["upgradeStrategy.upgradeType", container.upgradeStrategy?.upgradeType, UPGRADE_TYPES],
    ["shareVolumePolicy.type", container.shareVolumePolicy?.type, SHARE_TYPES],
    ["shareVolumeDevicePolicy.type", container.shareVolumeDevicePolicy?.type, SHARE_TYPES],
  ];
  for (const [name, value, supported] of enums)
    if (value && !supported.includes(value)) yield notSupported(`${path}.${name}`, value, supported);
  for (const [index, entry] of (container.transferEnv ?? []).entries())
    yield* validateTransferEnv(entry, `${path}.transferEnv[${index}]`);
  yield* validateResourcesPolicy(container, kind, path);
}

function* validateTransferEnv({ sourceContainerNameFrom }: TransferEnv, path: string): FieldErrors {
  if (!sourceContainerNameFrom) return;
  const at = `${path}.sourceContainerNameFrom.fieldRef`;
  const { fieldRef } = sourceContainerNameFrom;
  if (!fieldRef) {
    yield required(at);
    return;
  }
  const { apiVersion, fieldPath } = fieldRef;
  if (apiVersion !== "v1")
    yield fieldError("TransferEnvInvalid", "FieldValueInvalid", `${at}.apiVersion`, apiVersion, "It must be v1.");
  const [, map, key = ""] = SUBSCRIPT.exec(fieldPath ?? "") ?? [];
  const problem =
    map === undefined
      ? "must be metadata.labels['KEY'] or metadata.annotations['KEY']"
      : qualifiedNameProblem(map === "annotations" ? key.toLowerCase() : key);
  if (problem !== undefined)
    yield fieldError("TransferEnvInvalid", "FieldValueInvalid", `${at}.fieldPath`, fieldPath, `It ${problem}.`);
}

function* validateResourcesPolicy(
  { resourcesPolicy: policy, resources }: SidecarContainer,
  kind: "container" | "native" | "init",
  path: string,
): FieldErrors {
  if (!policy) return;
  const at = `${path}.resourcesPolicy`;
  const error = (field: string, value: unknown, reason: string) =>
    fieldError("ResourcesPolicyInvalid", "FieldValueInvalid", field, value, reason);
  if (Object.keys({ ...resources?.limits, ...resources?.requests }).length > 0)
    yield error(at, policy, "It can't be set beside resources.limits or resources.requests.");
  if (kind === "init")
    yield error(at, policy, "An init container without restartPolicy Always has no resourcesPolicy.");
  if (!MODES.includes(policy.targetContainersMode))
    yield notSupported(`${at}.targetContainersMode`, policy.targetContainersMode, MODES);
  const regex = policy.targetContainersNameRegex;
  if (!regex) {
    yield required(`${at}.targetContainersNameRegex`);
  } else {
    const compiled = compileRe2(regex);
    if ("problem" in compiled) yield invalid(`${at}.targetContainersNameRegex`, regex, `It ${compiled.problem}.`);
  }
  if (!policy.resourcesExpr?.limits && !policy.resourcesExpr?.requests)
    yield error(`${at}.resourcesExpr`, policy.resourcesExpr, "It has neither limits nor requests.");
}
