// SPDX-License-Identifier: Apache-2.0
import { defaultPullPolicy, parseImage } from "../image-reference.ts";
import { warningLine } from "../warning-line.ts";
import type { IntOrPercent } from "../object-meta.ts";
import type { SidecarContainer, SidecarSet, SidecarSetV1Alpha1 } from "../sidecar-set.ts";
import { canonicalText } from "./canonical-text.ts";
import { overlooked } from "./conflicts.ts";
import { isHot } from "./hot-upgrade.ts";

/** What is accepted, but will not go as well as it could. */
export function validationWarnings(
  object: SidecarSet,
  submitted: SidecarSet | SidecarSetV1Alpha1,
  old: SidecarSet | undefined,
  others: readonly SidecarSet[] | undefined,
): string[] {
  const warnings: string[] = [];
  const before = new Map((old?.spec.containers ?? []).map((container) => [container.name, container]));
  for (const [index, container] of (object.spec.containers ?? []).entries()) {
    const path = `spec.containers[${index}]`;
    if (isHot(container)) warnings.push(...hotWarnings(container, path));
    if (pullPolicyFlips(container, before.get(container.name)))
      warnings.push(warningLine("PullPolicyFromTag", `${path}.imagePullPolicy`));
  }
  if (old) warnings.push(...updateWarnings(object, old));
  if (object.spec.updateStrategy?.type !== "NotUpdate" && stops(object.spec.updateStrategy?.maxUnavailable))
    warnings.push(warningLine("NothingUnavailable", "spec.updateStrategy.maxUnavailable"));
  if ("namespace" in submitted.spec && submitted.spec.namespace && submitted.spec.namespaceSelector)
    warnings.push(warningLine("NamespaceSelectorReplaced", "spec.namespaceSelector"));
  for (const name of others ? overlooked(object, others) : [])
    warnings.push(warningLine("SidecarSetMayConflict", `SidecarSet ${name}`));
  return warnings;
}

/** Changes that leave pods behind which carry the sidecars already. */
function* updateWarnings(object: SidecarSet, old: SidecarSet): Generator<string, void, undefined> {
  const kept = new Set((object.spec.containers ?? []).map(({ name }) => name));
  for (const { name } of old.spec.containers ?? [])
    if (!kept.has(name)) yield warningLine("ContainerRemoved", `spec.containers[name=${name}]`);
  for (const name of ["selector", "namespaceSelector"] as const)
    if (canonicalText(object.spec[name] ?? null) !== canonicalText(old.spec[name] ?? null))
      yield warningLine("SelectorChanged", `spec.${name}`);
}

function stops(maxUnavailable: IntOrPercent | undefined): boolean {
  return maxUnavailable === 0 || maxUnavailable === "0%";
}

function hotWarnings(container: SidecarContainer, path: string): string[] {
  const warnings: string[] = [];
  if (!container.readinessProbe?.exec) warnings.push(warningLine("NoTakeoverProbe", `${path}.readinessProbe`));
  if (container.imagePullPolicy === "Always") warnings.push(warningLine("PullPolicyAlways", `${path}.imagePullPolicy`));
  const emptyImage = container.upgradeStrategy?.hotUpgradeEmptyImage;
  const reference = emptyImage ? parseImage(emptyImage) : undefined;
  if (reference && !reference.digest && (reference.tag ?? "latest") === "latest")
    warnings.push(warningLine("EmptyImageTagFloats", `${path}.upgradeStrategy.hotUpgradeEmptyImage`));
  return warnings;
}

/** Both policies look defaulted and differ: the hash without image has changed by the tag alone. */
function pullPolicyFlips(container: SidecarContainer, old: SidecarContainer | undefined): boolean {
  if (!old || old.imagePullPolicy === container.imagePullPolicy) return false;
  return [container, old].every(({ image, imagePullPolicy }) => imagePullPolicy === defaultPullPolicy(image ?? ""));
}
