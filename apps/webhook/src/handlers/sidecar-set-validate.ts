// SPDX-License-Identifier: Apache-2.0
import {
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
 * for programs in `details.causes`; warnings in any case.
 */
export function decideValidity(
  request: AdmissionRequest,
  { sidecarSets, revisions, metadataRules }: ValidityContext,
): Decision {
  if (request.operation !== "CREATE" && request.operation !== "UPDATE") return { allowed: true };
  if ((request.subResource ?? "") !== "") return { allowed: true };
  versionOf(request);
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
