// SPDX-License-Identifier: Apache-2.0
import type { Container, Quantity, Volume } from "./container.ts";
import type { Condition, IntOrPercent, LabelSelector, ObjectMeta } from "./object-meta.ts";

/** `apps.kruise.io/v1beta1` SidecarSet, the stored version. Fields as in OpenKruise v1.9 plus `updateStrategy.hotUpgrade`. */
export interface SidecarSet {
  apiVersion?: "apps.kruise.io/v1beta1";
  kind?: "SidecarSet";
  metadata: ObjectMeta;
  spec: SidecarSetSpec;
  status?: SidecarSetStatus;
}

/** `apps.kruise.io/v1alpha1`: a single `namespace`, and the custom version as a label instead of a field. */
export interface SidecarSetV1Alpha1 {
  apiVersion?: "apps.kruise.io/v1alpha1";
  kind?: "SidecarSet";
  metadata: ObjectMeta;
  spec: Omit<SidecarSetSpec, "customVersion"> & { namespace?: string };
  status?: SidecarSetStatus;
}

export interface SidecarSetSpec {
  selector?: LabelSelector;
  namespaceSelector?: LabelSelector;
  initContainers?: SidecarContainer[];
  containers?: SidecarContainer[];
  volumes?: Volume[];
  updateStrategy?: UpdateStrategy;
  injectionStrategy?: InjectionStrategy;
  imagePullSecrets?: { name?: string }[];
  revisionHistoryLimit?: number;
  patchPodMetadata?: PatchPodMetadata[];
  customVersion?: string;
}

export interface SidecarContainer extends Container {
  podInjectPolicy?: "BeforeAppContainer" | "AfterAppContainer";
  upgradeStrategy?: ContainerUpgradeStrategy;
  shareVolumePolicy?: { type?: "enabled" | "disabled" };
  shareVolumeDevicePolicy?: { type?: "enabled" | "disabled" };
  transferEnv?: TransferEnv[];
  resourcesPolicy?: ResourcesPolicy;
}

export interface ContainerUpgradeStrategy {
  upgradeType?: "ColdUpgrade" | "HotUpgrade";
  /** Image of the empty (standby) container; required for HotUpgrade. */
  hotUpgradeEmptyImage?: string;
}

export interface TransferEnv {
  sourceContainerName?: string;
  sourceContainerNameFrom?: { fieldRef?: { apiVersion?: string; fieldPath: string } };
  envName?: string;
  envNames?: string[];
}

export interface ResourcesPolicy {
  targetContainersMode: "sum" | "max";
  targetContainersNameRegex?: string;
  resourcesExpr: { limits?: ResourceExprs; requests?: ResourceExprs };
}

export interface ResourceExprs {
  cpu?: Quantity;
  memory?: Quantity;
}

export interface UpdateStrategy {
  type?: "RollingUpdate" | "NotUpdate";
  paused?: boolean;
  selector?: LabelSelector;
  /** Pods that keep the old version; percentages round up. Default 0. */
  partition?: IntOrPercent;
  /** Pods that may be unavailable at once; percentages round up. Default 1. */
  maxUnavailable?: IntOrPercent;
  priorityStrategy?: {
    orderPriority?: { orderedKey: string }[];
    weightPriority?: { weight: number; matchSelector: LabelSelector }[];
  };
  scatterStrategy?: { key: string; value: string }[];
  /** Ours; outside every hash; Kruise's CRD prunes it. */
  hotUpgrade?: HotUpgradePolicy;
}

export interface HotUpgradePolicy {
  /** Seconds until a pod whose upgrade has no receipt is aborted. Default 120. */
  progressDeadlineSeconds?: number;
  /** `Abort` (default): put the empty image back, the old side goes on. `Wait`: leave it, as Kruise does. */
  onFailure?: "Abort" | "Wait";
  /** Matched pods that may fail for one generation before the rollout stalls: number ≥ 1 or percentage, rounded up. Default 1. */
  failureThreshold?: IntOrPercent;
  /** Seconds between receipt and reset. Default 0. */
  minReadySeconds?: number;
  /**
   * What a pod gets that is created while the rollout is stalled: `Newest` (default), or with `LastGood` the last
   * revision that pods were updated to and ready with.
   */
  newPodsWhenStalled?: "Newest" | "LastGood";
}

export interface InjectionStrategy {
  paused?: boolean;
  revision?: { customVersion?: string; revisionName?: string; policy?: "Always" | "Partial" };
}

export interface PatchPodMetadata {
  annotations?: Record<string, string>;
  patchPolicy?: "Retain" | "Overwrite" | "MergePatchJson";
}

export interface SidecarSetStatus {
  observedGeneration?: number;
  matchedPods: number;
  updatedPods: number;
  readyPods: number;
  updatedReadyPods?: number;
  latestRevision?: string;
  collisionCount?: number;
  upgradingPods?: number;
  failedPods?: number;
  notUpgradablePods?: number;
  /** Pods that the SidecarSet selects and that run without it; not among the matched ones. */
  uninjectedPods?: number;
  /** The last revision that all pods in scope were updated to and ready with. */
  lastGoodRevision?: string;
  /** The retry that this status takes into account: the value of `hot.internal/retry`. */
  observedRetry?: string;
  conditions?: Condition[];
}

/** `apps/v1` ControllerRevision as far as SidecarSet uses it. */
export interface ControllerRevision {
  apiVersion?: "apps/v1";
  kind?: "ControllerRevision";
  metadata: ObjectMeta;
  revision: number;
  data?: unknown;
}
