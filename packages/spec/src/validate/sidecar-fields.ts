// SPDX-License-Identifier: Apache-2.0
import { fieldError, notSupported, required, type FieldErrors } from "../field-error.ts";
import { qualifiedNameProblem } from "../label-name.ts";
import type { SidecarContainer, TransferEnv } from "../sidecar-set.ts";
import { validateResourcesPolicy } from "./resources-policy.ts";

const INJECT_POLICIES = ["BeforeAppContainer", "AfterAppContainer"];
const SHARE_TYPES = ["enabled", "disabled"];
const UPGRADE_TYPES = ["ColdUpgrade", "HotUpgrade"];
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
