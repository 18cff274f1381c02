// SPDX-License-Identifier: Apache-2.0
import type { Family } from "./family.ts";

/** HOT1xxx. 10xx: under way · 11xx: waits for an observation · 12xx: held back by a rule · 13xx: failed. */
export const rolloutCodes = {
  UpToDate: ["HOT1000", "Every pod in scope runs the wanted images, is reset and is ready.", "Nothing to do."],
  RollingOut: [
    "HOT1001",
    "Pods are being updated.",
    "Wait, or follow it with `kubectl get sidecarset NAME -o wide -w`.",
  ],
  Upgrading: [
    "HOT1002",
    "The new image is set and its container is not running yet.",
    "Wait; the pod is aborted when progressDeadlineSeconds have passed.",
  ],
  Migrating: [
    "HOT1003",
    "The new container runs and has not proved its takeover yet.",
    "Wait; the pod is aborted when progressDeadlineSeconds have passed.",
  ],
  Soaking: [
    "HOT1004",
    "The new container serves; the old one is emptied when minReadySeconds have passed.",
    "Wait, or lower spec.updateStrategy.hotUpgrade.minReadySeconds.",
  ],
  Resetting: [
    "HOT1005",
    "The old container is being replaced by its empty image.",
    "Wait; a long wait means that the old process ignores SIGTERM until its grace period ends.",
  ],
  NoPods: [
    "HOT1006",
    "No injected pod matches the SidecarSet.",
    "Compare spec.selector and spec.namespaceSelector with the pods; pods older than the SidecarSet must be re-created.",
  ],
  Restarting: [
    "HOT1007",
    "A cold upgrade has set the image and the container is not running from it yet.",
    "Wait; look at the container's state with `kubectl describe pod`.",
  ],
  Retried: [
    "HOT1008",
    "The upgrade has failed before for this generation and is tried again, because a retry was asked for.",
    "Nothing to do; look at the first failure in the pod's events if it fails again.",
  ],
  ImageRewritten: [
    "HOT1009",
    "The pod was given the wanted images and its spec names others: an admission webhook, or a person, has changed them.",
    "Nothing to do where a webhook rewrites images on purpose, as for a mirror of a registry; else find out who changes the pod, and re-create it.",
  ],
  HookRunning: [
    "HOT1101",
    "The kubelet reports nothing about the container while its postStart hook runs.",
    "Wait until the hook has ended; bound its run time inside the hook.",
  ],
  StandbyBackOff: [
    "HOT1102",
    "The kubelet delays the restart of the standby container because the same empty image came back within ten minutes.",
    "Wait up to 10 s; upgrade the same pod less often than three times in ten minutes.",
  ],
  ImagePull: [
    "HOT1103",
    "The image of the standby container is still being pulled.",
    "Wait; if it stays, check hotUpgradeEmptyImage, the registry and imagePullSecrets.",
  ],
  NotObserved: [
    "HOT1104",
    "The kubelet has not reported the pod as last written.",
    "Wait; if it stays, check the kubelet of the pod's node.",
  ],
  OldSideDown: [
    "HOT1105",
    "The old container is not observed running and ready, so nothing may be emptied.",
    "Find out why the old container is down with `kubectl logs --previous` and `kubectl describe pod`.",
  ],
  NotConsistent: [
    "HOT1106",
    "A sidecar container does not run its image yet, so no further update starts in this pod.",
    "Wait; look at the container's state with `kubectl describe pod`.",
  ],
  NodeNotReady: [
    "HOT1107",
    "The pod is not ready though its containers are: its node does not answer, and nothing starts there.",
    "Look at the node with `kubectl describe node`; when it answers again, the pod is updated like any other. If it is gone for good: `kubectl delete pod NAME --force`.",
  ],
  Paused: [
    "HOT1201",
    "spec.updateStrategy.paused is true, so no update starts; updates that have started are finished.",
    'Set spec.updateStrategy.paused to false: `kubectl patch sidecarset NAME --type=merge -p \'{"spec":{"updateStrategy":{"paused":false}}}\'`.',
  ],
  NotUpdate: [
    "HOT1202",
    "spec.updateStrategy.type is NotUpdate, so running pods keep their images.",
    "Set spec.updateStrategy.type to RollingUpdate, or re-create the pods.",
  ],
  MaxUnavailableReached: [
    "HOT1203",
    "As many pods as maxUnavailable allows are unavailable or being updated.",
    "Wait for these pods, repair those that are not ready, or raise spec.updateStrategy.maxUnavailable.",
  ],
  Partition: [
    "HOT1204",
    "The pod is one of those that spec.updateStrategy.partition holds back.",
    "Lower spec.updateStrategy.partition.",
  ],
  SelectorNotMatched: [
    "HOT1205",
    "spec.updateStrategy.selector does not select the pod.",
    "Widen spec.updateStrategy.selector, or label the pod.",
  ],
  Stalled: [
    "HOT1206",
    "As many pods as failureThreshold allows have failed, so nothing new starts for this generation.",
    'Correct the SidecarSet (a new generation starts afresh), raise spec.updateStrategy.hotUpgrade.failureThreshold, or try again what has failed: `kubectl annotate sidecarset NAME hot.internal/retry="$(date +%s)" --overwrite`.',
  ],
  FailedBefore: [
    "HOT1207",
    "The upgrade of this pod to this very revision has failed before and is not tried again.",
    'Correct the SidecarSet, any change of its spec is a new generation; or try again: `kubectl annotate pod NAME hot.internal/retry="$(date +%s)" --overwrite`, or the same on the SidecarSet for all its pods.',
  ],
  StaleSidecarSet: [
    "HOT1208",
    "The pod was upgraded by a newer SidecarSet than the one that is seen now.",
    "Wait; it is read again. If it stays, check the connection to the API server.",
  ],
  NotUpgradable: [
    "HOT1209",
    "More than the image differs between the SidecarSet and the pod, and only images change in place.",
    "Re-create the pod, or undo the change of the fields that are named.",
  ],
  NotInjected: [
    "HOT1210",
    "The SidecarSet selects the pod, which runs without it: admission did not answer or could not inject it when it was created, or it is selected only since then.",
    "Re-create the pod: `kubectl rollout restart` of its owner, or `kubectl delete pod NAME`. With failurePolicy Fail no pod starts without its sidecars.",
  ],
  OlderThanSidecarSet: [
    "HOT1211",
    "The SidecarSet selects the pod, which is older than the SidecarSet and runs without it: containers are injected only when a pod is created.",
    "Re-create the pod when it may be interrupted: `kubectl rollout restart` of its owner, or `kubectl delete pod NAME`.",
  ],
  ProgressDeadlineExceeded: [
    "HOT1301",
    "The new container did not prove its takeover within progressDeadlineSeconds.",
    "Look at the new container's log, then correct the image or raise spec.updateStrategy.hotUpgrade.progressDeadlineSeconds.",
  ],
  ImagePullFailed: [
    "HOT1302",
    "The new image can't be pulled.",
    "Check the image's name and tag, the registry and imagePullSecrets.",
  ],
  PostStartHookFailed: [
    "HOT1303",
    "The postStart hook of the new container failed.",
    "Run the hook's command in the container and look at the pod's events.",
  ],
  NewSideCrashed: [
    "HOT1304",
    "The new container ended after its start.",
    "Look at `kubectl logs POD -c CONTAINER --previous`, then correct the image.",
  ],
  TakeoverUnproven: [
    "HOT1305",
    "The old container was emptied on readiness alone, because the container has no exec readinessProbe that proves the takeover.",
    "Add an exec readinessProbe which asks this container's own process (`hot-standby probe`).",
  ],
  Contradictory: [
    "HOT1306",
    "Version annotations and images of the hot pair contradict each other, so nothing is emptied.",
    "Compare the pod's version.sidecarset.kruise.io/* annotations with its images; re-creating the pod repairs it.",
  ],
  Superseded: [
    "HOT1307",
    "The wanted image changed or was rolled back in mid-upgrade, so the upgrade was aborted.",
    "Nothing to do; the upgrade to the newest image follows.",
  ],
  PatchRejected: [
    "HOT1308",
    "The API server refused the change of the pod, which is tried again in a minute, or when pod or SidecarSet change.",
    "Read the cause in the message; another admission webhook, a policy or a quota may refuse it. The other pods go on.",
  ],
  ContainerMissing: [
    "HOT1309",
    "The pod lacks a container of the SidecarSet.",
    "Re-create the pod, so that it is injected again.",
  ],
  EmptyImageUnknown: [
    "HOT1310",
    "Another controller has started this upgrade, and no SidecarSet names its empty image, so it can't be finished.",
    "Create the SidecarSet again, or re-create the pod; both containers run meanwhile.",
  ],
  RevisionNotRecorded: [
    "HOT1311",
    "The ControllerRevision of the SidecarSet can't be written, so nothing new starts: pods would name a revision that does not exist.",
    "Read the cause in the message: a quota, a policy or a missing right in the namespace of the revisions. It is tried again by itself.",
  ],
} as const satisfies Family;
