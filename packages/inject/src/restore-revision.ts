// SPDX-License-Identifier: Apache-2.0
import {
  HASH_ANNOTATION,
  HASH_WITHOUT_IMAGE_ANNOTATION,
  type ControllerRevision,
  type SidecarSet,
  type SidecarSetSpec,
  shapeProblem,
  withoutNulls,
} from "@hot/spec";
import { oncePer } from "./once-per.ts";

const RECORDED = ["containers", "initContainers", "volumes", "imagePullSecrets", "patchPodMetadata"] as const;

/**
 * The SidecarSet as the revision recorded it. The recorded data is the whole spec (`$patch: replace`); name and
 * annotations stay live, except the two hashes, so that the pod carries those of the revision.
 * `undefined`: the data is none that this project or Kruise writes.
 */
export function restoreRevision(live: SidecarSet, revision: ControllerRevision): SidecarSet | undefined {
  const spec = recordedSpec(revision);
  if (spec === undefined) return undefined;
  const { metadata } = revision;
  const annotations = { ...live.metadata.annotations };
  for (const key of [HASH_ANNOTATION, HASH_WITHOUT_IMAGE_ANNOTATION]) {
    const hash = metadata.annotations?.[key];
    if (hash === undefined) Reflect.deleteProperty(annotations, key);
    else annotations[key] = hash;
  }
  return {
    ...live,
    metadata: { ...live.metadata, annotations },
    spec,
    status: {
      ...(live.status ?? { matchedPods: 0, updatedPods: 0, readyPods: 0 }),
      latestRevision: metadata.name ?? "",
    },
  };
}

/** What a revision holds, if it is well-formed; read once, as revisions never change. */
const recordedSpec = oncePer(({ data }: ControllerRevision): SidecarSetSpec | undefined => {
  const recorded = isObject(data) ? data["spec"] : undefined;
  if (!isObject(recorded)) return undefined;
  const spec = Object.fromEntries(RECORDED.map((key) => [key, recorded[key] ?? null]));
  return shapeProblem({ metadata: {}, spec }) === undefined ? (withoutNulls(spec) as SidecarSetSpec) : undefined;
});

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
