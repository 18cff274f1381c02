// SPDX-License-Identifier: Apache-2.0
import { fieldError, forbidden, invalid, notSupported, type FieldErrors } from "../field-error.ts";
import { sameImage } from "../image-reference.ts";
import { intOrPercentProblem } from "../int-or-percent.ts";
import { VERSION_ALT_ENV, VERSION_ENV, pairNames } from "../names.ts";
import type { HotUpgradePolicy, SidecarContainer, SidecarSetSpec } from "../sidecar-set.ts";

const MAX_BASE_NAME = 61;
const ON_FAILURE = ["Abort", "Wait"];
const NEW_PODS = ["Newest", "LastGood"];

export function isHot(container: SidecarContainer): boolean {
  return container.upgradeStrategy?.upgradeType === "HotUpgrade";
}

/** What a hot pair needs in order to be injectable and upgradable. */
export function* validateHotContainers({ containers = [], initContainers = [] }: SidecarSetSpec): FieldErrors {
  const names = new Map<string, string>();
  for (const { name } of [...containers, ...initContainers]) names.set(name, name);
  for (const [index, container] of containers.entries())
    if (isHot(container)) yield* validateHotContainer(container, names, `spec.containers[${index}]`);
  for (const [index, container] of initContainers.entries())
    if (isHot(container) && container.restartPolicy === "Always")
      yield fieldError(
        "NativeHotUpgrade",
        "FieldValueForbidden",
        `spec.initContainers[${index}].upgradeStrategy.upgradeType`,
        "HotUpgrade",
      );
}

function* validateHotContainer(
  container: Partial<SidecarContainer>,
  names: Map<string, string>,
  path: string,
): FieldErrors {
  const { name = "", image } = container;
  const emptyImage = container.upgradeStrategy?.hotUpgradeEmptyImage;
  const at = `${path}.upgradeStrategy.hotUpgradeEmptyImage`;
  if (!emptyImage) yield fieldError("EmptyImageMissing", "FieldValueRequired", at, undefined);
  else if (sameImage(emptyImage, image ?? ""))
    yield fieldError("EmptyImageIsImage", "FieldValueInvalid", at, emptyImage);
  if (name.length > MAX_BASE_NAME) yield fieldError("PairNameTooLong", "FieldValueTooLong", `${path}.name`, name);
  for (const side of pairNames(name))
    if (names.has(side)) yield fieldError("PairNameTaken", "FieldValueDuplicate", `${path}.name`, name);
  for (const [index, env] of (container.env ?? []).entries())
    if (env.name === VERSION_ENV || env.name === VERSION_ALT_ENV)
      yield fieldError("VersionEnvReserved", "FieldValueForbidden", `${path}.env[${index}].name`, env.name);
  for (const [index, { hostPort }] of (container.ports ?? []).entries())
    if (hostPort)
      yield forbidden(
        `${path}.ports[${index}].hostPort`,
        hostPort,
        "Both containers of a hot pair have it, and a pod can have a host port only once.",
      );
}

/** Our own `spec.updateStrategy.hotUpgrade`. */
export function* validateHotUpgradePolicy(policy: HotUpgradePolicy): FieldErrors {
  const at = "spec.updateStrategy.hotUpgrade";
  const { progressDeadlineSeconds, minReadySeconds, failureThreshold, onFailure, newPodsWhenStalled } = policy;
  if (progressDeadlineSeconds !== undefined && progressDeadlineSeconds < 1)
    yield invalid(`${at}.progressDeadlineSeconds`, progressDeadlineSeconds, "It must be at least 1.");
  if (minReadySeconds !== undefined && minReadySeconds < 0)
    yield invalid(`${at}.minReadySeconds`, minReadySeconds, "It must be at least 0.");
  if (onFailure !== undefined && !ON_FAILURE.includes(onFailure))
    yield notSupported(`${at}.onFailure`, onFailure, ON_FAILURE);
  if (newPodsWhenStalled !== undefined && !NEW_PODS.includes(newPodsWhenStalled))
    yield notSupported(`${at}.newPodsWhenStalled`, newPodsWhenStalled, NEW_PODS);
  if (failureThreshold === undefined) return;
  const problem = intOrPercentProblem(failureThreshold);
  if (problem !== undefined)
    yield fieldError("NotAPercentage", "FieldValueInvalid", `${at}.failureThreshold`, failureThreshold);
  else if (Number.parseInt(String(failureThreshold)) === 0)
    yield invalid(
      `${at}.failureThreshold`,
      failureThreshold,
      "It must be greater than 0, or nothing could ever start.",
      "Use 1 or more.",
    );
}
