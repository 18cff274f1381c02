// SPDX-License-Identifier: Apache-2.0
import { fieldError, notSupported, required, type FieldErrors } from "../field-error.ts";
import { CUSTOM_VERSION_LABEL, REVISION_OWNER_LABEL } from "../names.ts";
import type { ControllerRevision, SidecarSet } from "../sidecar-set.ts";

const PATH = "spec.injectionStrategy.revision";
const POLICIES = ["Always", "Partial"];

/** A revision that is named must exist, because otherwise every pod creation would fail. */
export function* validateInjectionStrategy(
  { metadata, spec }: SidecarSet,
  revisions: readonly ControllerRevision[] | undefined,
): FieldErrors {
  const revision = spec.injectionStrategy?.revision;
  if (!revision) return;
  const { revisionName, customVersion, policy } = revision;
  if (policy && !POLICIES.includes(policy)) yield notSupported(`${PATH}.policy`, policy, POLICIES);
  if (revisionName === undefined && customVersion === undefined) {
    yield required(PATH, "It names no revision.", "Set revisionName or customVersion, or remove it.");
    return;
  }
  if (!revisions) return;
  const own = revisions.filter((entry) => entry.metadata.labels?.[REVISION_OWNER_LABEL] === metadata.name);
  const found = own.some((entry) =>
    revisionName === undefined
      ? entry.metadata.labels?.[CUSTOM_VERSION_LABEL] === customVersion
      : entry.metadata.name === revisionName,
  );
  if (found) return;
  const field = revisionName === undefined ? "customVersion" : "revisionName";
  yield fieldError("RevisionNotFound", "FieldValueNotFound", `${PATH}.${field}`, revision[field]);
}
