// SPDX-License-Identifier: Apache-2.0
import { metadataChanges } from "@hot/inject";
import { ApiError, RESOURCES } from "@hot/kube";
import type { Pod, SidecarSet } from "@hot/spec";
import { isOurs, type PodProjection } from "../plan/pod-projection.ts";
import type { Outcome, Writing } from "./apply.ts";

/**
 * The annotations that `patchPodMetadata` adds to a write. The cache keeps none of those that it may be about, so they
 * are read: once, and only from the very version that the write is for. As this takes time, it comes before the question
 * whether the write may still be made.
 *
 * @param sidecarSet - absent: nothing is added
 */
export async function addedMetadata(
  { api, signal }: Writing,
  pod: PodProjection,
  sidecarSet: SidecarSet | undefined,
): Promise<{ readonly annotations: Readonly<Record<string, string>> } | { readonly outcome: Outcome }> {
  if (sidecarSet === undefined) return { annotations: {} };
  try {
    const live = await api.get<Pod>(RESOURCES.pods, pod.name, { namespace: pod.namespace, signal });
    const { uid, resourceVersion } = live.metadata;
    if (uid !== pod.uid || resourceVersion !== pod.resourceVersion) return { outcome: { result: "conflict" } };
    const changes = metadataChanges(live, sidecarSet);
    if ("annotations" in changes) return { annotations: others(changes.annotations) };
    const { sentence, fix, code } = changes.denied;
    return { outcome: { result: "refused", error: new Error(`${sentence}. ${fix} (${code})`) } };
  } catch (error) {
    const gone = error instanceof ApiError && error.status === 404;
    return { outcome: gone ? { result: "gone" } : { result: "unknown", error } };
  }
}

/** Those of injection and upgrade say what is the case in a pod, which no wish changes. */
function others(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !isOurs(key)));
}
