// SPDX-License-Identifier: Apache-2.0
import { toInvalidStatus, validateSidecarSet, type SidecarSet } from "@hot/spec";
import type { AdmissionRequest, Decision } from "../admission.ts";
import { versionOf } from "./sidecar-set-mutate.ts";

/**
 * Judges a SidecarSet: 422 with all field errors at once (path, value, why, code and fix), for people in the message and
 * for programs in `details.causes`; warnings in any case.
 */
export function decideValidity(request: AdmissionRequest, sidecarSets: readonly SidecarSet[]): Decision {
  if (request.operation !== "CREATE" && request.operation !== "UPDATE") return { allowed: true };
  if ((request.subResource ?? "") !== "") return { allowed: true };
  versionOf(request);
  const name = request.name ?? "";
  const { errors, warnings } = validateSidecarSet({
    operation: request.operation,
    object: request.object,
    oldObject: request.oldObject,
    otherSidecarSets: sidecarSets.filter((one) => one.metadata.name !== name),
  });
  if (errors.length === 0) return { allowed: true, warnings };
  return { allowed: false, warnings, status: toInvalidStatus(name, errors) };
}
