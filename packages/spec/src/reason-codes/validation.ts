// SPDX-License-Identifier: Apache-2.0
import type { Family } from "./family.ts";

/** HOT3xxx. 30xx: any field · 31xx: containers · 32xx: hot upgrade · 33xx: strategies · 34xx: updates and other SidecarSets · 39xx: warnings. */
export const validationCodes = {
  Malformed: [
    "HOT3001",
    "The field has the wrong JSON type.",
    "Correct the type; see the message for the expected one.",
  ],
  FieldRequired: ["HOT3002", "The field is missing.", "Set the field."],
  FieldInvalid: ["HOT3003", "The field's value is not valid.", "Correct the value."],
  FieldNotSupported: [
    "HOT3004",
    "The field's value is not one of the supported ones.",
    "Use one of the listed values.",
  ],
  FieldDuplicate: ["HOT3005", "The value occurs twice.", "Remove or rename one of them."],
  FieldTooLong: ["HOT3006", "The value is too long.", "Shorten the value."],
  FieldForbidden: ["HOT3007", "The field may not be set here.", "Remove the field."],
  SelectorMissing: [
    "HOT3010",
    "The selector is missing or empty, and an empty selector never matches.",
    "Set spec.selector.matchLabels.",
  ],
  SelectorMalformed: ["HOT3011", "The label selector can't be evaluated.", "Correct the term that is named."],
  ContainersMissing: [
    "HOT3101",
    "The SidecarSet has no container.",
    "Add a container to spec.containers or spec.initContainers.",
  ],
  VolumeNotFound: [
    "HOT3102",
    "The mount names a volume that the SidecarSet does not have.",
    "Add the volume to spec.volumes, or share the app's mounts with shareVolumePolicy.",
  ],
  ProbeInvalid: [
    "HOT3103",
    "The probe or lifecycle handler is not valid.",
    "Set exactly one handler with valid fields.",
  ],
  ResourcesInvalid: [
    "HOT3104",
    "The container's resources are not valid.",
    "Correct the quantity; a request may not exceed its limit.",
  ],
  ResourcesPolicyInvalid: ["HOT3105", "The resourcesPolicy is not valid.", "Correct the resourcesPolicy."],
  TransferEnvInvalid: ["HOT3106", "The transferEnv entry is not valid.", "Correct the transferEnv entry."],
  EmptyImageMissing: [
    "HOT3201",
    "A container with upgradeType HotUpgrade needs an empty image.",
    "Set upgradeStrategy.hotUpgradeEmptyImage, for example to the hot-standby image.",
  ],
  EmptyImageIsImage: [
    "HOT3202",
    "The empty image equals the container's image, so the two sides can't be told apart.",
    "Use another image as hotUpgradeEmptyImage, for example the hot-standby image.",
  ],
  PairNameTooLong: [
    "HOT3203",
    "The names with -1 and -2 of the hot pair are longer than 63 characters.",
    "Shorten the container's name to 61 characters.",
  ],
  PairNameTaken: [
    "HOT3204",
    "A name with -1 or -2 of the hot pair is the name of another container.",
    "Rename one of the two containers.",
  ],
  VersionEnvReserved: [
    "HOT3205",
    "SIDECARSET_VERSION and SIDECARSET_VERSION_ALT are set by the injection of a hot pair.",
    "Remove the env from the container.",
  ],
  NativeHotUpgrade: [
    "HOT3206",
    "An init container can't be upgraded hot.",
    "Move the container to spec.containers, or use ColdUpgrade.",
  ],
  PartitionWithSelector: [
    "HOT3301",
    "partition and selector of the update strategy exclude each other.",
    "Remove one of the two.",
  ],
  NotAPercentage: [
    "HOT3302",
    "The value is neither a non-negative number nor a percentage.",
    "Use a number such as 1 or a percentage such as 25%.",
  ],
  NativeRollingUpdate: [
    "HOT3303",
    "Native sidecars (init containers with restartPolicy Always) are not updated in place.",
    "Set spec.updateStrategy.type to NotUpdate.",
  ],
  CanaryInvalid: [
    "HOT3304",
    "The canary SidecarSet is not valid.",
    "Correct the canary annotations and set spec.updateStrategy.type to NotUpdate.",
  ],
  RevisionNotFound: [
    "HOT3305",
    "No revision fits spec.injectionStrategy.revision.",
    "List the revisions with `kubectl get controllerrevisions -A -l kruise.io/sidecarset-name=NAME`.",
  ],
  MetadataNotAllowed: [
    "HOT3306",
    "The annotation is not in the list of those that patchPodMetadata may set.",
    "Add it to the key SidecarSet_PatchPodMetadata_WhiteList of the ConfigMap kruise-configuration in the namespace of this program; the one in Kruise's is not read.",
  ],
  FieldImmutable: [
    "HOT3401",
    "The field can't change once it is set.",
    "Undo the change, or delete the SidecarSet and create it anew.",
  ],
  ContainerAdded: [
    "HOT3402",
    "Containers can't be added or renamed, because pods that run can't get a new container.",
    "Undo the change, or create another SidecarSet for the new container.",
  ],
  SidecarSetConflict: [
    "HOT3403",
    "Another SidecarSet that can select the same pods has the same name with another meaning.",
    "Rename it, or make the selectors disjoint.",
  ],
  UnknownField: [
    "HOT3901",
    "The field is not known; it is kept, and a change of it is not rolled out.",
    "Correct the field's name, or remove it.",
  ],
  EmptyImageMoved: [
    "HOT3902",
    "hotUpgradeEmptyImage was moved into upgradeStrategy.",
    "Write it as upgradeStrategy.hotUpgradeEmptyImage.",
  ],
  NoTakeoverProbe: [
    "HOT3903",
    "A hot container without an exec readinessProbe can't prove its takeover.",
    "Add an exec readinessProbe which asks this container's own process (`hot-standby probe`).",
  ],
  PullPolicyAlways: [
    "HOT3904",
    "imagePullPolicy Always makes each step of a hot upgrade ask the registry.",
    "Use a fixed tag and imagePullPolicy IfNotPresent.",
  ],
  EmptyImageTagFloats: ["HOT3905", "The empty image has no fixed tag.", "Use a tag other than latest, or a digest."],
  PullPolicyFromTag: [
    "HOT3906",
    "imagePullPolicy was defaulted from the tag, so another tag may change the hash without image and make pods not upgradable.",
    "Set imagePullPolicy explicitly.",
  ],
  NamespaceSelectorReplaced: [
    "HOT3907",
    "spec.namespace takes the place of spec.namespaceSelector, which is dropped.",
    "Keep only one of the two.",
  ],
  UnknownVolumeSource: [
    "HOT3908",
    "The kind of volume is not known and was dropped, as Kubernetes does.",
    "Correct the field's name; a volume without a known source is an emptyDir.",
  ],
  SidecarSetMayConflict: [
    "HOT3909",
    "Another SidecarSet has a container of the same name, and a pod can match both.",
    "Rename the container, or make the selectors disjoint by a value of the same key.",
  ],
  NothingUnavailable: [
    "HOT3910",
    "maxUnavailable is 0, so no ready pod is ever updated.",
    "Set maxUnavailable to 1 or more; to hold a rollout back, set paused or partition.",
  ],
  ContainerRemoved: [
    "HOT3911",
    "The container stays in the pods that have it, and is not updated any more.",
    "Re-create the pods to get rid of it.",
  ],
  SelectorChanged: [
    "HOT3912",
    "The selector has changed: pods that have the sidecars and are no longer selected are not updated any more.",
    "Re-create those pods, or undo the change.",
  ],
} as const satisfies Family;
