// SPDX-License-Identifier: Apache-2.0
import type { Family } from "./family.ts";

/** HOT2xxx. 20xx: injected or skipped, which is no fault · 21xx: denied · 22xx: injected with a remark. */
export const injectionCodes = {
  Injected: ["HOT2000", "The SidecarSet's containers were injected.", "Nothing to do."],
  NoMatch: [
    "HOT2001",
    "No SidecarSet selects the pod.",
    "Compare the pod's labels and its namespace's labels with spec.selector and spec.namespaceSelector.",
  ],
  InjectionPaused: [
    "HOT2002",
    "spec.injectionStrategy.paused is true.",
    "Set spec.injectionStrategy.paused to false and re-create the pod.",
  ],
  AlreadyInjected: ["HOT2003", "The pod already has the SidecarSet's containers.", "Nothing to do."],
  PodNotActive: ["HOT2004", "The pod is finished or being deleted.", "Nothing to do."],
  ReplacedByCanary: [
    "HOT2005",
    "A canary of this SidecarSet selects the pod and was injected in its place.",
    "Nothing to do; delete the canary to end it.",
  ],
  NothingToInject: [
    "HOT2006",
    "The SidecarSet has no container to inject.",
    "Add a container to spec.containers or spec.initContainers.",
  ],
  NameCollision: [
    "HOT2101",
    "The pod already has a container with a sidecar container's name, and it is not an injected one.",
    "Rename the app container or the sidecar container.",
  ],
  SelectorInvalid: [
    "HOT2102",
    "A selector of the SidecarSet can't be evaluated.",
    "Correct the selector; see the message for the term.",
  ],
  NamespaceUnknown: [
    "HOT2103",
    "The pod's Namespace could not be read, so spec.namespaceSelector can't be evaluated.",
    "Create the pod again; if it stays, check the permission to read namespaces.",
  ],
  BadRevision: [
    "HOT2104",
    "The revision of spec.injectionStrategy.revision does not exist, belongs to another SidecarSet or can't be restored.",
    "List the revisions with `kubectl get controllerrevisions -A -l kruise.io/sidecarset-name=NAME` and correct spec.injectionStrategy.revision.",
  ],
  PatchFailed: [
    "HOT2105",
    "The change of the pod could not be applied to it.",
    "Report this with the pod's manifest; the pod was admitted unchanged where the failure policy allows it.",
  ],
  BadMetadataPatch: [
    "HOT2106",
    "A MergePatchJson annotation of spec.patchPodMetadata, or the pod's own value, is not JSON that can be merged.",
    "Correct the JSON in spec.patchPodMetadata[].annotations or in the pod's annotation.",
  ],
  BadResourceExpression: [
    "HOT2107",
    "An expression of resourcesPolicy can't be evaluated for this pod.",
    "Correct resourcesPolicy.resourcesExpr; see the message for the cause.",
  ],
  NoResourceTarget: [
    "HOT2108",
    "No container of the pod matches resourcesPolicy.targetContainersNameRegex.",
    "Correct resourcesPolicy.targetContainersNameRegex.",
  ],
  BadHashAnnotation: [
    "HOT2109",
    "The pod carries a SidecarSet hash annotation that can't be read.",
    "Remove the annotation kruise.io/sidecarset-hash from the pod's template.",
  ],
  VolumeMissing: [
    "HOT2110",
    "A sidecar container mounts a volume that neither the SidecarSet nor the pod has.",
    "Add the volume to spec.volumes of the SidecarSet.",
  ],
  PodMalformed: [
    "HOT2111",
    "The pod is not of the shape of a pod, or nested too deep, so it can't be injected.",
    "Correct the pod's manifest; see the message for the field.",
  ],
  SidecarSetMalformed: [
    "HOT2112",
    "The SidecarSet is not of the shape of a SidecarSet, or nested too deep, so it can't be injected.",
    "Correct the SidecarSet; see the message for the field.",
  ],
  TransferEnvSkipped: [
    "HOT2201",
    "An env of transferEnv is missing in its source container and was left out.",
    "Compare transferEnv with the env of the pod's containers; values from envFrom are not transferred.",
  ],
  VolumeKept: [
    "HOT2202",
    "The pod already has a volume of this name, which was kept.",
    "Rename the volume in the SidecarSet if another one is meant.",
  ],
  LastGoodInjected: [
    "HOT2204",
    "The rollout of the SidecarSet is stalled, so the pod got the last good revision (newPodsWhenStalled is LastGood).",
    "Nothing to do; the pod follows when the SidecarSet is corrected.",
  ],
  LastGoodMissing: [
    "HOT2205",
    "The last good revision does not exist any more or can't be restored, so the pod got the newest one.",
    "Correct the SidecarSet; compare status.lastGoodRevision with `kubectl get controllerrevisions -A -l kruise.io/sidecarset-name=NAME`.",
  ],
} as const satisfies Family;
