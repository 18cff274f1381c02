// SPDX-License-Identifier: Apache-2.0

/** API group of SidecarSet, shared with OpenKruise. */
export const GROUP = "apps.kruise.io";
export const PLURAL = "sidecarsets";
export const KIND = "SidecarSet";

/** Annotations of a SidecarSet and, with another shape, of the pods that it injected. */
export const HASH_ANNOTATION = "kruise.io/sidecarset-hash";
export const HASH_WITHOUT_IMAGE_ANNOTATION = "kruise.io/sidecarset-hash-without-image";

/** Annotations of a pod. */
export const INJECTED_LIST_ANNOTATION = "kruise.io/sidecarset-injected-list";
export const IN_PLACE_STATE_ANNOTATION = "kruise.io/sidecarset-inplace-update-state";
/** `{"<base name>": "<base name>-1" | "<base name>-2"}`: which side works. */
export const WORKING_ANNOTATION = "kruise.io/sidecarset-working-hotupgrade-container";
/** `version.sidecarset.kruise.io/<container name>`; `"0"` on the standby. */
export const VERSION_ANNOTATION_PREFIX = "version.sidecarset.kruise.io/";
/** `versionalt.sidecarset.kruise.io/<container name>`: the sibling's version as this side was told. */
export const VERSION_ALT_ANNOTATION_PREFIX = "versionalt.sidecarset.kruise.io/";
/** Ours: `upgrade.hot.internal/<base name>`, the record of a hot upgrade. `.internal` belongs to nobody. */
export const RECORD_ANNOTATION_PREFIX = "upgrade.hot.internal/";
/** Ours, on a SidecarSet or a pod: another value than before asks for what has failed to be tried again, once. */
export const RETRY_ANNOTATION = "hot.internal/retry";

/** Labels and annotations of SidecarSets and ControllerRevisions. */
export const CUSTOM_VERSION_LABEL = "apps.kruise.io/sidecarset-custom-version";
export const CANARY_ANNOTATION = "apps.kruise.io/sidecarset-canary";
export const BASE_ANNOTATION = "apps.kruise.io/sidecarset-base";
export const REVISION_OWNER_LABEL = "kruise.io/sidecarset-name";
export const REVISION_HASH_LABEL = "controller.kubernetes.io/hash";

/** Env of injected containers. */
export const INJECTED_ENV = "IS_INJECTED";
export const VERSION_ENV = "SIDECARSET_VERSION";
export const VERSION_ALT_ENV = "SIDECARSET_VERSION_ALT";

/** Pod condition, as Kruise writes it. */
export const UPGRADABLE_CONDITION = "SidecarSetUpgradable";

/** The two containers of a hot pair. */
export function pairNames(base: string): [first: string, second: string] {
  return [`${base}-1`, `${base}-2`];
}
