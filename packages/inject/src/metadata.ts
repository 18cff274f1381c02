// SPDX-License-Identifier: Apache-2.0
import { INJECTED_LIST_ANNOTATION, type Pod, type SidecarSet } from "@hot/spec";
import { mergeJsonText } from "./merge-json.ts";
import { InjectionDenied } from "./report.ts";

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
    const again = injected.includes(sidecarSet.metadata.name ?? "");
    for (const { annotations: patch = {}, patchPolicy = "Retain" } of sidecarSet.spec.patchPodMetadata ?? []) {
      for (const [key, value] of Object.entries(patch)) {
        const before = annotations.get(key);
        // The text was set as it is by the first invocation; merged into itself it would lose its nulls.
        if (again && before === value) continue;
        const after = patchOne(before, value, patchPolicy, () => location(sidecarSet, key));
        if (after === undefined || after === before) continue;
        annotations.set(key, after);
        changed = true;
      }
    }
  }
  if (!changed) return pod;
  return { ...pod, metadata: { ...pod.metadata, annotations: Object.fromEntries(annotations) } };
}

function patchOne(
  before: string | undefined,
  value: string,
  policy: string,
  where: () => { sidecarSet: string; text: string },
): string | undefined {
  if (policy === "Retain" || policy === "") return before ?? value;
  if (policy === "Overwrite") return value;
  if (policy !== "MergePatchJson") return before;
  if (before === undefined || before === "") return value;
  const merged = mergeJsonText(before, value);
  if (merged !== undefined) return merged;
  const { sidecarSet, text } = where();
  throw new InjectionDenied(sidecarSet, "BadMetadataPatch", `${text}: ${value} can't be merged into ${before}`);
}

function location(sidecarSet: SidecarSet, key: string): { sidecarSet: string; text: string } {
  const name = sidecarSet.metadata.name ?? "";
  return { sidecarSet: name, text: `SidecarSet ${name}, spec.patchPodMetadata annotation ${key}` };
}
