// SPDX-License-Identifier: Apache-2.0
import type { HotUpgradePolicy, SidecarSet } from "./sidecar-set.ts";

const DEFAULTS: Readonly<Required<HotUpgradePolicy>> = {
  progressDeadlineSeconds: 120,
  onFailure: "Abort",
  failureThreshold: 1,
  minReadySeconds: 0,
  newPodsWhenStalled: "Newest",
};

/**
 * `spec.updateStrategy.hotUpgrade` with its defaults. They are applied on reading and never written into the object:
 * Kruise's CRD prunes the field, so an object must mean the same without it.
 */
export function hotUpgradePolicy(sidecarSet: Pick<SidecarSet, "spec">): Required<HotUpgradePolicy> {
  const set = Object.entries(sidecarSet.spec.updateStrategy?.hotUpgrade ?? {}).filter(([, value]) => value !== null);
  return { ...DEFAULTS, ...Object.fromEntries(set) };
}
