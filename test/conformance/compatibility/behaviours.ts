// SPDX-License-Identifier: Apache-2.0
import type { Row } from "./row.ts";

/** Reference: what Kruise v1.9 does, without the deliberate differences, which have a table of their own. */
export const BEHAVIOURS: readonly Row[] = [
  ["both API versions, served; v1beta1 stored; webhook conversion", "same"],
  ["CRD", "better", "full container schema, list-map keys, CEL rules, short name `scs`, more print columns"],
  ["defaults of SidecarSet, containers and volumes; both hash annotations written at every change", "same"],
  ["hashes: order, omitted fields, escapes, texts of quantities, dropped unknown fields", "same", "bit for bit"],
  ["validation: metadata, selectors, strategies, containers and volumes as a pod create judges them", "same"],
  [
    "validation of updates: containers can't be added or renamed, upgradeType can't change",
    "same",
    "warnings for what is left behind (HOT3911, HOT3912)",
  ],
  [
    "whitelist of annotations (`SidecarSet_PatchPodMetadata_WhiteList`)",
    "same",
    "read from the ConfigMap `kruise-configuration` in this program's namespace; the gate that allows everything without it is off",
  ],
  ["conflicts with other SidecarSets: containers, init containers, volumes, annotations", "same"],
  ["canary and base SidecarSets", "same"],
  ["matching: namespaces, labels, active pods, paused injection", "same"],
  ["injection of containers, init containers and native sidecars, before and after the app's", "same"],
  ["sorting by name (`EnableSortSidecarContainerByName`)", "same", "an argument of injectPod"],
  ["shared volume mounts and devices, subPathExpr, transferEnv, volumes, pull secrets", "same"],
  ["hot pairs: names, images, versions, env, working annotation", "same"],
  ["patchPodMetadata: Retain, Overwrite, MergePatchJson", "same"],
  ["resourcesPolicy: targets, sum and max, expressions", "same"],
  ["injection of a revision by name or custom version; Always and Partial", "same"],
  ["registration: pods at CREATE only; ephemeral containers are ignored", "same"],
  [
    "quantities: values, canonical texts, and the texts that are kept as written",
    "same",
    "exact, in whole numbers of any size",
  ],
  ["label selectors, and Kruise's rule for selectors that overlap", "same"],
  ["regular expressions: Go's syntax (RE2)", "same", "what Go refuses is refused; linear time, with a bound of steps"],
  [
    "ControllerRevisions: names, data, numbers, limit, collisions",
    "same",
    "in the namespace of this program; what Kruise left in its own is copied by hand where injectionStrategy.revision names it",
  ],
  ["order of a rollout: Kubernetes' order, weightPriority, orderPriority, scatterStrategy", "same"],
  ["partition, maxUnavailable, selector of the update strategy", "same"],
  [
    "in-place update of cold containers; not upgradable where more than images has changed",
    "same",
    "the condition names the fields that differ",
  ],
  ["status: matched, updated, ready, updatedReady", "better", "refreshed with NotUpdate too"],
  ["adoption of pods and of upgrades that Kruise has begun", "same"],
  ["deletion: pods stay as they are", "same", "an upgrade that has begun is finished"],
  [
    "SidecarTerminator, a controller of its own behind an alpha gate (`KRUISE_TERMINATE_SIDECAR_WHEN_JOB_EXIT`)",
    "missing",
    "native sidecars end with the job by themselves",
  ],
];
