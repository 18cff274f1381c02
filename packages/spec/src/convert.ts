// SPDX-License-Identifier: Apache-2.0
import { CUSTOM_VERSION_LABEL } from "./names.ts";
import type { SidecarSet, SidecarSetV1Alpha1 } from "./sidecar-set.ts";

/** The label that every Namespace carries with its own name. */
export const NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name";

/**
 * To the stored version. A `namespace` becomes a namespaceSelector and takes the place of one that is set; the
 * custom-version label moves into `customVersion`. Everything else is the same in both versions and is kept as it is,
 * unknown fields included. The input is not changed.
 */
export function toV1Beta1(sidecarSet: SidecarSetV1Alpha1): SidecarSet {
  const { metadata = {}, spec = {}, ...rest } = structuredClone<Partial<SidecarSetV1Alpha1>>(sidecarSet);
  const { namespace, ...kept } = spec;
  const converted: SidecarSet = { ...rest, apiVersion: "apps.kruise.io/v1beta1", metadata, spec: kept };
  if (namespace) converted.spec.namespaceSelector = { matchLabels: { [NAMESPACE_NAME_LABEL]: namespace } };
  const { [CUSTOM_VERSION_LABEL]: customVersion, ...labels } = metadata.labels ?? {};
  if (customVersion !== undefined) {
    if (customVersion !== "") converted.spec.customVersion = customVersion;
    if (Object.keys(labels).length > 0) metadata.labels = labels;
    else delete metadata.labels;
  }
  return converted;
}

/** To the old version: `customVersion` becomes the label. `namespace` is never restored. The input is not changed. */
export function toV1Alpha1(sidecarSet: SidecarSet): SidecarSetV1Alpha1 {
  const { metadata = {}, spec = {}, ...rest } = structuredClone<Partial<SidecarSet>>(sidecarSet);
  const { customVersion, ...kept } = spec;
  if (customVersion) metadata.labels = { ...metadata.labels, [CUSTOM_VERSION_LABEL]: customVersion };
  return { ...rest, apiVersion: "apps.kruise.io/v1alpha1", metadata, spec: kept };
}
