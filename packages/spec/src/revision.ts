// SPDX-License-Identifier: Apache-2.0
import { sidecarContainerSchema } from "./core-schema.ts";
import { depthProblem } from "./extent.ts";
import { compareCodePoints, goJson, goString } from "./go-json.ts";
import { safeEncode, wrongContainerType } from "./hash.ts";
import { MalformedError } from "./malformed-error.ts";
import { CUSTOM_VERSION_LABEL, GROUP, KIND, REVISION_HASH_LABEL, REVISION_OWNER_LABEL } from "./names.ts";
import type { ControllerRevision, SidecarSet } from "./sidecar-set.ts";

/** Kubernetes' longest name, less the room for the code. */
const MAX_PREFIX = 223;
const CONTAINERS = { list: sidecarContainerSchema };

/**
 * The text that a revision records, byte for byte as Kruise writes it: the whole spec as far as it reaches pods, keys
 * sorted, what is absent or empty as null.
 *
 * @throws {MalformedError} when a container field has the wrong type, or it is nested too deep
 */
export function revisionData(sidecarSet: Pick<SidecarSet, "spec">): string {
  const wrong = wrongContainerType(sidecarSet);
  if (wrong) throw new MalformedError(wrong.path, `must be ${wrong.expected}, so the SidecarSet has no revision`);
  const deep = depthProblem(sidecarSet);
  if (deep) throw new MalformedError(deep.path, deep.problem);
  const { spec } = sidecarSet;
  const containers = (list: SidecarSet["spec"]["containers"]): unknown =>
    list && list.length > 0 ? (JSON.parse(goJson(CONTAINERS, list)) as unknown) : null;
  return canonicalJson({
    spec: {
      $patch: "replace",
      containers: containers(spec.containers),
      imagePullSecrets: orNull(spec.imagePullSecrets),
      initContainers: containers(spec.initContainers),
      patchPodMetadata: orNull(spec.patchPodMetadata),
      volumes: orNull(spec.volumes),
    },
  });
}

function orNull(list: readonly unknown[] | undefined): unknown {
  return list && list.length > 0 ? list : null;
}

/** Compact JSON with sorted keys, escaped as Go does; equal values give equal texts. */
export function canonicalJson(value: unknown): string {
  if (typeof value === "string") return goString(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  entries.sort(([a], [b]) => compareCodePoints(a, b));
  return `{${entries.map(([key, member]) => `${goString(key)}:${canonicalJson(member)}`).join(",")}}`;
}

/** The code at the end of a revision's name: FNV-1, 32 bits, of data and collision count, in Kubernetes' safe letters. */
export function revisionHash(data: string, collisionCount: number): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(`${data}${collisionCount}`)) hash = Math.imul(hash, 0x01000193) ^ byte;
  return safeEncode(String(hash >>> 0));
}

/** The name of the revision with this code. */
export function revisionName(sidecarSet: string, hash: string): string {
  return `${sidecarSet.slice(0, MAX_PREFIX)}-${hash}`;
}

export interface NewRevision {
  /** Where revisions live: the namespace of the system. */
  namespace: string;
  /** Its place in the history, from 1 on. */
  revision: number;
  collisionCount: number;
}

/** The ControllerRevision that records a SidecarSet as it is, as Kruise writes it. */
export function newRevision(
  sidecarSet: SidecarSet,
  { namespace, revision, collisionCount }: NewRevision,
): ControllerRevision {
  const { name = "", uid = "", labels, annotations } = sidecarSet.metadata;
  const { customVersion } = sidecarSet.spec;
  const data = revisionData(sidecarSet);
  const hash = revisionHash(data, collisionCount);
  return {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name: revisionName(name, hash),
      namespace,
      labels: {
        ...labels,
        [REVISION_OWNER_LABEL]: name,
        [REVISION_HASH_LABEL]: hash,
        ...(customVersion !== undefined && customVersion !== "" && { [CUSTOM_VERSION_LABEL]: customVersion }),
      },
      annotations: { ...annotations },
      ownerReferences: [
        { apiVersion: `${GROUP}/v1beta1`, kind: KIND, name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    revision,
    data: JSON.parse(data) as unknown,
  };
}
