// SPDX-License-Identifier: Apache-2.0
import type { FieldType } from "../../../packages/spec/src/core-schema.ts";
import { specSchema, statusSchema } from "../../../packages/spec/src/sidecar-set-schema.ts";
import type { Row, Verdict } from "./row.ts";

/** What is to be said of a field, by path; a field that is not here is the same. Containers stand for init containers too. */
export const FIELD_REMARKS: Readonly<Record<string, readonly [Verdict, string]>> = {
  "spec.namespaceSelector": [
    "better",
    "one that can't be evaluated denies the pod (HOT2102) instead of silently not matching",
  ],
  "spec.namespace": ["same", "v1alpha1 only; becomes a namespaceSelector; a warning where both are set (HOT3907)"],
  "spec.customVersion": ["same", "v1beta1 only; a label in v1alpha1"],
  "spec.updateStrategy.type": ["better", "unknown values are refused"],
  "spec.updateStrategy.paused": ["better", "an upgrade that has begun is finished"],
  "spec.updateStrategy.partition": [
    "better",
    "a malformed one is refused; unvalidated it holds back everything instead of nothing",
  ],
  "spec.updateStrategy.maxUnavailable": ["better", "a malformed one is refused; a warning for 0 (HOT3910)"],
  "spec.updateStrategy.hotUpgrade": [
    "ours",
    "outside of every hash; Kruise's CRD prunes it; the defaults are never written",
  ],
  "spec.updateStrategy.hotUpgrade.newPodsWhenStalled": [
    "ours",
    "`LastGood`: while the rollout is stalled, new pods get the revision of `status.lastGoodRevision`",
  ],
  "spec.patchPodMetadata[].patchPolicy": ["better", "unknown values are refused"],
  "spec.injectionStrategy.revision.revisionName": ["better", "must belong to the SidecarSet (HOT2104)"],
  "spec.containers[].podInjectPolicy": ["better", "checked in init containers too"],
  "spec.containers[].upgradeStrategy.upgradeType": ["better", "unknown values are refused; refused in native sidecars"],
  "spec.containers[].upgradeStrategy.hotUpgradeEmptyImage": [
    "better",
    "required for HotUpgrade; may not be the image itself; accepted beside upgradeStrategy and moved, with a warning (HOT3902)",
  ],
  "spec.containers[].shareVolumePolicy.type": ["better", "checked in init containers too"],
  "spec.containers[].shareVolumeDevicePolicy.type": ["better", "unknown values are refused"],
  "spec.containers[].transferEnv": [
    "better",
    "checked in init containers too; a missing fieldRef is a fault, not a crash",
  ],
  "spec.containers[].resourcesPolicy.targetContainersMode": [
    "better",
    "checked by the webhook and at injection too (HOT2107)",
  ],
  "spec.containers[].resourcesPolicy.targetContainersNameRegex": [
    "same",
    "Go's syntax; matched in linear time, with a bound of steps (`regex-steps`)",
  ],
  "spec.containers[].resourcesPolicy.resourcesExpr": [
    "better",
    "type-checked with a quantity; bad numbers and overflow are faults",
  ],
  "spec.containers[].startupProbe": ["better", "judged with the kubelet's defaults, which stay out of the hash"],
  "spec.containers[].imagePullPolicy": [
    "same",
    "a warning where another tag changes the default and by it the hash without image (HOT3906)",
  ],
  "spec.containers[].env": ["better", "SIDECARSET_VERSION and SIDECARSET_VERSION_ALT are refused in a hot container"],
  "status.upgradingPods": ["ours", ""],
  "status.failedPods": ["ours", ""],
  "status.notUpgradablePods": ["ours", ""],
  "status.uninjectedPods": [
    "ours",
    "pods that are selected and run without it, older ones included (HOT1210, HOT1211); matchedPods counts injected pods, as with Kruise",
  ],
  "status.lastGoodRevision": ["ours", "the last revision that all pods in scope were updated to and ready with"],
  "status.observedRetry": ["ours", "the value of `hot.internal/retry` that the status takes into account"],
  "status.conditions": ["ours", "Ready, with the reason code of what holds the rollout back"],
};

/** One row per field of the schema tables. */
export function fieldRows(): Row[] {
  const fields = new Set([
    ...paths(specSchema("v1alpha1"), "spec"),
    ...paths(specSchema("v1beta1"), "spec"),
    ...paths(statusSchema, "status"),
    "status.conditions",
  ]);
  return [...fields].map((path): Row => {
    const [verdict, remark] = remarkOn(path);
    return [`\`${path}\``, verdict, remark];
  });
}

function* paths(type: FieldType, path: string): Generator<string, void, undefined> {
  if (typeof type === "string" || "map" in type) return;
  if ("list" in type) {
    yield* paths(type.list, `${path}[]`);
    return;
  }
  for (const field of type.fields) {
    // Both lists have the same fields, and a selector is one thing.
    const at = `${path}.${field.name}`;
    yield at;
    if (field.name !== "initContainers" && !/[sS]elector$/.test(field.name)) yield* paths(field.type, at);
  }
}

function remarkOn(path: string): readonly [Verdict, string] {
  const own = FIELD_REMARKS[path];
  if (own) return own;
  const above = path.includes(".") ? FIELD_REMARKS[path.slice(0, path.lastIndexOf("."))] : undefined;
  return above?.[0] === "ours" ? ["ours", ""] : ["same", ""];
}
