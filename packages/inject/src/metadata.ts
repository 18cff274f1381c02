// SPDX-License-Identifier: Apache-2.0
import { INJECTED_LIST_ANNOTATION, type Pod, type SidecarSet } from "@hot/spec";
import { allNames } from "./build-sidecars.ts";
import { mergeJsonText, type MergedJson } from "./merge-json.ts";
import { InjectionDenied, shown, type Denial } from "./report.ts";

/**
 * The pod with the annotations of every `patchPodMetadata`, in order: `Retain` sets what is absent, `Overwrite` always
 * sets, `MergePatchJson` merges the JSON texts, or sets the patch as it is where the pod has none.
 *
 * @throws {InjectionDenied} when a text is not JSON that can be merged
 */
export function patchMetadata(pod: Pod, sidecarSets: readonly SidecarSet[]): Pod {
  const annotations = new Map(Object.entries(pod.metadata.annotations ?? {}));
  const injected = annotations.get(INJECTED_LIST_ANNOTATION)?.split(",") ?? [];
  let changed = false;
  for (const sidecarSet of sidecarSets) {
    // Without containers it may be in no list, so that an earlier invocation can't be told from the first.
    const again = injected.includes(sidecarSet.metadata.name ?? "") || allNames(sidecarSet).length === 0;
    for (const { annotations: patch = {}, patchPolicy = "Retain" } of sidecarSet.spec.patchPodMetadata ?? []) {
      for (const [key, value] of Object.entries(patch)) {
        const before = annotations.get(key);
        const after = patchOne(before, value, patchPolicy, () => location(sidecarSet, key));
        if (after === undefined || after.text === before) continue;
        // The first invocation may have set the text as it is, with nulls that a merge would take away.
        if (again && after.isSameButNulls()) continue;
        annotations.set(key, after.text);
        changed = true;
      }
    }
  }
  if (!changed) return pod;
  return { ...pod, metadata: { ...pod.metadata, annotations: Object.fromEntries(annotations) } };
}

/**
 * What `patchPodMetadata` of a SidecarSet changes in the annotations of a pod that runs, when its images are updated:
 * all three policies apply, as at injection. `denied`: a text can't be merged, so the pod must not be written.
 */
export function metadataChanges(
  pod: Pod,
  sidecarSet: SidecarSet,
): { annotations: Record<string, string> } | { denied: Denial } {
  try {
    const before = pod.metadata.annotations ?? {};
    const after = Object.entries(patchMetadata(pod, [sidecarSet]).metadata.annotations ?? {});
    return { annotations: Object.fromEntries(after.filter(([key, value]) => before[key] !== value)) };
  } catch (error) {
    if (error instanceof InjectionDenied) return { denied: error.denial };
    throw error;
  }
}

function patchOne(
  before: string | undefined,
  value: string,
  policy: string,
  where: () => { sidecarSet: string; text: string },
): MergedJson | undefined {
  const asItIs = { text: value, isSameButNulls: () => false };
  if (policy === "Retain" || policy === "") return before === undefined ? asItIs : undefined;
  if (policy === "Overwrite") return asItIs;
  if (policy !== "MergePatchJson") return undefined;
  if (before === undefined || before === "") return asItIs;
  const merged = mergeJsonText(before, value);
  if (merged !== undefined) return merged;
  const { sidecarSet, text } = where();
  throw new InjectionDenied(
    sidecarSet,
    "BadMetadataPatch",
    `${text}: ${shown(value)} can't be merged into ${shown(before)}`,
  );
}

function location(sidecarSet: SidecarSet, key: string): { sidecarSet: string; text: string } {
  const name = sidecarSet.metadata.name ?? "";
  return { sidecarSet: name, text: `SidecarSet ${name}, spec.patchPodMetadata annotation ${key}` };
}
