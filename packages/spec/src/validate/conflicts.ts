// SPDX-License-Identifier: Apache-2.0
import { fieldError, type FieldErrors } from "../field-error.ts";
import { pairNames } from "../names.ts";
import type { LabelSelector } from "../object-meta.ts";
import { selectorsCanMeet, selectorsOverlap } from "../selector-overlap.ts";
import type { SidecarContainer, SidecarSet } from "../sidecar-set.ts";
import { canonicalText } from "./canonical-text.ts";
import { canaryBase } from "./canary.ts";
import { isHot } from "./hot-upgrade.ts";

type Rule = (a: LabelSelector, b: LabelSelector) => boolean;

/** Other SidecarSets that may select the same pods and claim the same names with another meaning. */
export function* validateConflicts(object: SidecarSet, others: readonly SidecarSet[]): FieldErrors {
  for (const other of related(object, others, selectorsOverlap)) {
    const name = other.metadata.name ?? "";
    const conflict = (field: string, value: unknown) =>
      fieldError(
        "SidecarSetConflict",
        "FieldValueInvalid",
        field,
        value,
        `The SidecarSet ${name}, which can select the same pods, has it too.`,
      );
    for (const list of LISTS) {
      const taken = new Set((other.spec[list] ?? []).flatMap(namesInPod));
      for (const [index, container] of (object.spec[list] ?? []).entries())
        if (taken.has(container.name) || namesInPod(container).some((side) => taken.has(side)))
          yield conflict(`spec.${list}[${index}].name`, container.name);
    }
    const volumes = new Map((other.spec.volumes ?? []).map((volume) => [volume.name, volume]));
    for (const [index, volume] of (object.spec.volumes ?? []).entries()) {
      const same = volumes.get(volume.name);
      if (same && canonicalText(same) !== canonicalText(volume))
        yield conflict(`spec.volumes[${index}].name`, volume.name);
    }
    yield* metadataConflicts(object, other, conflict);
  }
}

function* metadataConflicts(
  object: SidecarSet,
  other: SidecarSet,
  conflict: (field: string, value: unknown) => ReturnType<typeof fieldError>,
): FieldErrors {
  const theirs = new Map<string, string>();
  for (const { annotations, patchPolicy } of other.spec.patchPodMetadata ?? [])
    for (const key of Object.keys(annotations ?? {})) theirs.set(key, patchPolicy ?? "Retain");
  for (const [index, { annotations, patchPolicy = "Retain" }] of (object.spec.patchPodMetadata ?? []).entries()) {
    for (const key of Object.keys(annotations ?? {})) {
      const other = theirs.get(key) ?? "Retain";
      const retained = patchPolicy === "Retain" || other === "Retain";
      if (!retained && (patchPolicy === "Overwrite" || other === "Overwrite"))
        yield conflict(`spec.patchPodMetadata[${index}].annotations`, key);
    }
  }
}

/**
 * SidecarSets which Kruise accepts beside this one, although a pod can match both and would get a name twice: its rule
 * takes some selectors for disjoint that are not, and does not compare init containers with containers. Worth a warning.
 */
export function overlooked(object: SidecarSet, others: readonly SidecarSet[]): string[] {
  const compared = new Set(related(object, others, selectorsOverlap));
  return related(object, others, selectorsCanMeet)
    .filter(
      (other) =>
        sharesNames(object, other, "containers", "initContainers") ||
        sharesNames(object, other, "initContainers", "containers") ||
        (!compared.has(other) && LISTS.some((list) => sharesNames(object, other, list, list))),
    )
    .map((other) => other.metadata.name ?? "");
}

const LISTS = ["containers", "initContainers"] as const;
type ListName = (typeof LISTS)[number];

function sharesNames(a: SidecarSet, b: SidecarSet, listA: ListName, listB: ListName): boolean {
  const names = new Set((a.spec[listA] ?? []).flatMap(namesInPod));
  return (b.spec[listB] ?? []).flatMap(namesInPod).some((name) => names.has(name));
}

function related(object: SidecarSet, others: readonly SidecarSet[], meet: Rule): SidecarSet[] {
  const { metadata, spec } = object;
  return others.filter((other) => {
    if (other.metadata.name === metadata.name || isCanaryPair(object, other)) return false;
    const namespaces =
      !spec.namespaceSelector ||
      !other.spec.namespaceSelector ||
      meet(spec.namespaceSelector, other.spec.namespaceSelector);
    return namespaces && spec.selector && other.spec.selector && meet(spec.selector, other.spec.selector);
  });
}

/** A canary replaces its base in a pod, so the two share names on purpose, whichever of them is written. */
function isCanaryPair(a: SidecarSet, b: SidecarSet): boolean {
  return (
    (canaryBase(a) !== undefined && canaryBase(a) === b.metadata.name) ||
    (canaryBase(b) !== undefined && canaryBase(b) === a.metadata.name)
  );
}

/** The container names that a pod gets. */
function namesInPod(container: SidecarContainer): string[] {
  return isHot(container) ? [container.name, ...pairNames(container.name)] : [container.name];
}
