// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import {
  defaultSidecarSet,
  toInvalidStatus,
  validateSidecarSet,
  type ControllerRevision,
  type MetadataRules,
  type SidecarSet,
} from "@hot/spec";
import type { AdmissionRequest, Decision } from "../admission.ts";
import { versionOf } from "./sidecar-set-mutate.ts";

export interface ValidityContext {
  sidecarSets: readonly SidecarSet[];
  /** Those of the system namespace; `undefined` while they have not been read, when a missing one is no error yet. */
  revisions: readonly ControllerRevision[] | undefined;
  metadataRules: MetadataRules;
}

/**
 * Judges a SidecarSet: 422 with all field errors at once (path, value, why, code and fix), for people in the message and
 * for programs in `details.causes`; warnings in any case. One that is being deleted is let go, whatever it is: nobody
 * could take its finalizers away otherwise.
 */
export function decideValidity(
  request: AdmissionRequest,
  { sidecarSets, revisions, metadataRules }: ValidityContext,
): Decision {
  if (request.operation !== "CREATE" && request.operation !== "UPDATE") return { allowed: true };
  if ((request.subResource ?? "") !== "") return { allowed: true };
  const version = versionOf(request);
  if (isLeaving(request, version)) return { allowed: true };
  const name = request.name ?? "";
  const { errors, warnings } = validateSidecarSet({
    operation: request.operation,
    object: request.object,
    oldObject: request.oldObject,
    otherSidecarSets: sidecarSets.filter((one) => one.metadata.name !== name),
    ...(revisions !== undefined && { controllerRevisions: revisions }),
    metadataRules,
  });
  if (errors.length === 0) return { allowed: true, warnings };
  return { allowed: false, warnings, status: toInvalidStatus(name, errors) };
}

/** Pods are injected by it to its end, so its spec stays what it was, but for the defaults that it has been given now. */
function isLeaving({ operation, object, oldObject }: AdmissionRequest, version: "v1alpha1" | "v1beta1"): boolean {
  if (operation !== "UPDATE") return false;
  const { metadata, spec } = (object ?? {}) as Partial<SidecarSet>;
  if (metadata?.deletionTimestamp === undefined) return false;
  const before = defaultSidecarSet(oldObject, version).object as Partial<SidecarSet> | null;
  return isDeepStrictEqual(spec, before?.spec);
}
