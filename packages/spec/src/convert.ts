// SPDX-License-Identifier: Apache-2.0
import { isRaw, type Raw } from "./defaults/raw.ts";
import { depthProblem } from "./extent.ts";
import { MalformedError } from "./malformed-error.ts";
import { CUSTOM_VERSION_LABEL } from "./names.ts";
import type { SidecarSet, SidecarSetV1Alpha1 } from "./sidecar-set.ts";

/** The label that every Namespace carries with its own name. */
export const NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name";

/**
 * To the stored version. A `namespace` becomes a namespaceSelector and takes the place of one that is set; the
 * custom-version label moves into `customVersion`. Everything else is the same in both versions and is kept as it is,
 * unknown fields and values of a wrong type included. The input is not changed.
 *
 * @throws {MalformedError} for what is no object, or nested beyond every measure
 */
export function toV1Beta1(sidecarSet: SidecarSetV1Alpha1): SidecarSet {
  const copy = copyOf(sidecarSet);
  copy["apiVersion"] = "apps.kruise.io/v1beta1";
  const { metadata, spec } = copy;
  if (!isRaw(spec)) return copy as unknown as SidecarSet;
  const { namespace } = spec;
  delete spec["namespace"];
  if (typeof namespace === "string" && namespace !== "")
    spec["namespaceSelector"] = { matchLabels: { [NAMESPACE_NAME_LABEL]: namespace } };
  const labels = isRaw(metadata) ? metadata["labels"] : undefined;
  if (!isRaw(metadata) || !isRaw(labels) || !Object.hasOwn(labels, CUSTOM_VERSION_LABEL))
    return copy as unknown as SidecarSet;
  const customVersion = labels[CUSTOM_VERSION_LABEL];
  if (customVersion !== "") spec["customVersion"] = customVersion;
  delete labels[CUSTOM_VERSION_LABEL];
  if (Object.keys(labels).length === 0) delete metadata["labels"];
  return copy as unknown as SidecarSet;
}

/**
 * To the old version: `customVersion` becomes the label. `namespace` is never restored. The input is not changed.
 *
 * @throws {MalformedError} for what is no object, or nested beyond every measure
 */
export function toV1Alpha1(sidecarSet: SidecarSet): SidecarSetV1Alpha1 {
  const copy = copyOf(sidecarSet);
  copy["apiVersion"] = "apps.kruise.io/v1alpha1";
  const { metadata, spec } = copy;
  if (!isRaw(spec) || !isRaw(metadata)) return copy as unknown as SidecarSetV1Alpha1;
  const { customVersion } = spec;
  delete spec["customVersion"];
  if (!customVersion) return copy as unknown as SidecarSetV1Alpha1;
  const labels = isRaw(metadata["labels"]) ? metadata["labels"] : {};
  metadata["labels"] = { ...labels, [CUSTOM_VERSION_LABEL]: customVersion };
  return copy as unknown as SidecarSetV1Alpha1;
}

/** With metadata and spec, which every SidecarSet has. */
function copyOf(sidecarSet: unknown): Raw {
  if (!isRaw(sidecarSet)) throw new MalformedError("the SidecarSet", "must be an object");
  const deep = depthProblem(sidecarSet);
  if (deep) throw new MalformedError(deep.path, deep.problem);
  const copy = structuredClone(sidecarSet);
  copy["metadata"] ??= {};
  copy["spec"] ??= {};
  return copy;
}
