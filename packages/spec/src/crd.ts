// SPDX-License-Identifier: Apache-2.0
import { openApiSchema, type JsonSchema } from "./open-api.ts";
import { GROUP, KIND, PLURAL } from "./names.ts";
import { reasonCode, type ValidationReason } from "./reason-codes.ts";
import { specSchema, statusSchema } from "./sidecar-set-schema.ts";

/** `clientConfig` of a conversion webhook: a service or URL, and the authority to trust. */
export interface WebhookClientConfig {
  service?: { name: string; namespace: string; path?: string; port?: number };
  url?: string;
  /** Base64 of the PEM certificates. */
  caBundle?: string;
}

export interface CrdOptions {
  /** Absent: strategy None, with which v1alpha1's `namespace` and custom-version label have no effect. */
  conversion?: WebhookClientConfig;
}

/** `apiextensions.k8s.io/v1` CustomResourceDefinition. */
export interface SidecarSetCrd {
  apiVersion: "apiextensions.k8s.io/v1";
  kind: "CustomResourceDefinition";
  metadata: { name: string };
  spec: Record<string, unknown> & { versions: CrdVersion[] };
}

export interface CrdVersion {
  name: "v1alpha1" | "v1beta1";
  served: true;
  storage: boolean;
  subresources: { status: object };
  additionalPrinterColumns: object[];
  schema: { openAPIV3Schema: JsonSchema };
}

/** Fields newer than the table must reach the pod, as they do with Kruise, whose schema does not name any. */
const OPEN = { "x-kubernetes-preserve-unknown-fields": true };
const RESOURCES_POLICY = { required: ["targetContainersMode", "resourcesExpr"] };

const NOT_HOT = "!has(self.upgradeType) || self.upgradeType != 'HotUpgrade'";

/**
 * The few rules that must hold even where the validating webhook does not run; it names all the others at once. The
 * API server judges after defaulting.
 */
function rules(...list: [reason: ValidationReason, rule: string][]): JsonSchema {
  const text = (reason: ValidationReason): string => {
    const { sentence, fix, code } = reasonCode(reason);
    return `${sentence} ${fix} (${code})`;
  };
  return { "x-kubernetes-validations": list.map(([reason, rule]) => ({ rule, message: text(reason) })) };
}

/**
 * What the tables do not say, by path. The two defaults and three enums are Kruise's; a default of a container field
 * is part of the hash, so there must be no other.
 */
const SPEC_OVERRIDES: Record<string, JsonSchema> = {
  "": rules([
    "ContainersMissing",
    "has(self.containers) && size(self.containers) > 0 || has(self.initContainers) && size(self.initContainers) > 0",
  ]),
  "volumes[]": OPEN,
  "injectionStrategy.revision.policy": { enum: ["Always", "Partial"], default: "Always" },
  // Far more than a pod can run; without a bound the API server refuses the rules as too costly.
  containers: { maxItems: 1000 },
  "containers[].upgradeStrategy": rules(
    ["EmptyImageMissing", `${NOT_HOT} || has(self.hotUpgradeEmptyImage) && self.hotUpgradeEmptyImage != ''`],
    [
      "FieldImmutable",
      // Two types are compared by way of a constant: the API server refuses a comparison of two unbounded strings.
      `!has(oldSelf.upgradeType) || oldSelf.upgradeType == '' || (${NOT_HOT}) == (oldSelf.upgradeType != 'HotUpgrade')`,
    ],
  ),
  "updateStrategy.hotUpgrade.onFailure": { enum: ["Abort", "Wait"] },
  "updateStrategy.hotUpgrade.newPodsWhenStalled": { enum: ["Newest", "LastGood"] },
  "updateStrategy.hotUpgrade.progressDeadlineSeconds": { minimum: 1 },
  "updateStrategy.hotUpgrade.minReadySeconds": { minimum: 0 },
};
for (const list of ["containers", "initContainers"]) {
  SPEC_OVERRIDES[`${list}[]`] = OPEN;
  SPEC_OVERRIDES[`${list}[].resourcesPolicy`] = RESOURCES_POLICY;
  SPEC_OVERRIDES[`${list}[].resourcesPolicy.targetContainersMode`] = { enum: ["sum", "max"] };
  SPEC_OVERRIDES[`${list}[].resourcesPolicy.targetContainersNameRegex`] = { default: ".*" };
}

const CONDITIONS: JsonSchema = {
  type: "array",
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": ["type"],
  items: {
    type: "object",
    required: ["type", "status"],
    properties: {
      type: { type: "string" },
      status: { type: "string", enum: ["True", "False", "Unknown"] },
      observedGeneration: { type: "integer", format: "int64" },
      lastTransitionTime: { type: "string", format: "date-time" },
      reason: { type: "string" },
      message: { type: "string" },
    },
  },
};

const COLUMNS = [
  { name: "MATCHED", type: "integer", jsonPath: ".status.matchedPods", description: "Pods that carry the sidecars." },
  { name: "UPDATED", type: "integer", jsonPath: ".status.updatedPods", description: "Pods at the newest revision." },
  { name: "READY", type: "integer", jsonPath: ".status.readyPods", description: "Pods whose sidecars are ready." },
  { name: "STATUS", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
  { name: "UPGRADING", type: "integer", jsonPath: ".status.upgradingPods", priority: 1 },
  { name: "FAILED", type: "integer", jsonPath: ".status.failedPods", priority: 1 },
  { name: "NOT-UPGRADABLE", type: "integer", jsonPath: ".status.notUpgradablePods", priority: 1 },
  { name: "REVISION", type: "string", jsonPath: ".status.latestRevision", priority: 1 },
  { name: "AGE", type: "date", jsonPath: ".metadata.creationTimestamp" },
];

/** The CustomResourceDefinition of SidecarSet: both versions served, v1beta1 stored. */
export function sidecarSetCrd({ conversion }: CrdOptions = {}): SidecarSetCrd {
  const webhook = { clientConfig: conversion, conversionReviewVersions: ["v1"] };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${PLURAL}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: "Cluster",
      names: { plural: PLURAL, singular: "sidecarset", kind: KIND, listKind: `${KIND}List`, shortNames: ["scs"] },
      conversion: conversion ? { strategy: "Webhook", webhook } : { strategy: "None" },
      versions: [crdVersion("v1alpha1", false), crdVersion("v1beta1", true)],
    },
  };
}

function crdVersion(name: CrdVersion["name"], storage: boolean): CrdVersion {
  const status = openApiSchema(statusSchema, {});
  return {
    name,
    served: true,
    storage,
    subresources: { status: {} },
    additionalPrinterColumns: COLUMNS,
    schema: {
      openAPIV3Schema: {
        type: "object",
        properties: {
          apiVersion: { type: "string" },
          kind: { type: "string" },
          metadata: { type: "object" },
          spec: openApiSchema(specSchema(name), SPEC_OVERRIDES),
          status: { ...status, properties: { ...status.properties, conditions: CONDITIONS } },
        },
      },
    },
  };
}
