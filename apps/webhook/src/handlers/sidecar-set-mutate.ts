// SPDX-License-Identifier: Apache-2.0
import { diff } from "@hot/inject";
import { defaultSidecarSet } from "@hot/spec";
import { ReviewError, type AdmissionRequest, type Decision } from "../admission.ts";

/** Defaults and hashes, in the version of the request. What is malformed is left to validation, which names it all. */
export function decideDefaults(request: AdmissionRequest): Decision {
  if (request.operation !== "CREATE" && request.operation !== "UPDATE") return { allowed: true };
  if ((request.subResource ?? "") !== "") return { allowed: true };
  const { object, warnings } = defaultSidecarSet(request.object, versionOf(request));
  return { allowed: true, patch: diff(request.object, object), warnings };
}

/**
 * The version that the request's object has.
 *
 * @throws {ReviewError} for one that is not served
 */
export function versionOf({ kind }: AdmissionRequest): "v1alpha1" | "v1beta1" {
  if (kind.kind === "SidecarSet" && (kind.version === "v1alpha1" || kind.version === "v1beta1")) return kind.version;
  throw new ReviewError("ReviewUnsupported", `${kind.kind} in version ${kind.version}`);
}
