// SPDX-License-Identifier: Apache-2.0
import {
  HASH_ANNOTATION,
  HASH_WITHOUT_IMAGE_ANNOTATION,
  type ControllerRevision,
  type SidecarSet,
  type SidecarSetSpec,
} from "@hot/spec";

const RECORDED = ["containers", "initContainers", "volumes", "imagePullSecrets", "patchPodMetadata"] as const;

/**
 * The SidecarSet as the revision recorded it. The recorded data is the whole spec (`$patch: replace`); name and
 * annotations stay live, except the two hashes, so that the pod carries those of the revision.
 * `undefined`: the data is none that this project or Kruise writes.
 */
export function restoreRevision(live: SidecarSet, { metadata, data }: ControllerRevision): SidecarSet | undefined {
  const recorded = isObject(data) ? data["spec"] : undefined;
  if (!isObject(recorded)) return undefined;
  const lists = RECORDED.map((key) => [key, recorded[key] ?? undefined]).filter(([, list]) => list !== undefined);
  if (!lists.every(([, list]) => Array.isArray(list) && list.every(isObject))) return undefined;
  const annotations = { ...live.metadata.annotations };
  for (const key of [HASH_ANNOTATION, HASH_WITHOUT_IMAGE_ANNOTATION]) {
    const hash = metadata.annotations?.[key];
    if (hash === undefined) Reflect.deleteProperty(annotations, key);
    else annotations[key] = hash;
  }
  return {
    ...live,
    metadata: { ...live.metadata, annotations },
    spec: Object.fromEntries(lists) as SidecarSetSpec,
    status: {
      ...(live.status ?? { matchedPods: 0, updatedPods: 0, readyPods: 0 }),
      latestRevision: metadata.name ?? "",
    },
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
