// SPDX-License-Identifier: Apache-2.0
import { GROUP, PLURAL } from "@hot/spec";
import type { FailurePolicy } from "./config.ts";

/** Name of the two webhook configurations, the Service and, with `-certs`, the Secret. */
export const NAME = "hot-webhook";
/** The Service that has the replicas which are not ready, too. They can convert, and nothing else. */
export const CONVERSION_SERVICE = `${NAME}-conversion`;
/** On a pod or its Namespace, value `disabled`: the pod is never sent to the webhook. */
export const INJECTION_LABEL = "hot.internal/injection";

export const PATHS = {
  pod: "/mutate-pod",
  sidecarSetDefaults: "/mutate-sidecarset",
  sidecarSetValidation: "/validate-sidecarset",
  convert: "/convert",
} as const;

export interface Endpoint {
  /** How the API server reaches this program: under a URL, or through the Service in this namespace. */
  url?: string;
  namespace: string;
  /** The Service that conversion goes through; default: that of the ready replicas. */
  conversionService?: string;
  /** PEM certificates of every authority that may have signed the serving certificate. */
  caBundle: string;
}

/** The authorities as the API wants them. */
export function encoded({ caBundle }: Pick<Endpoint, "caBundle">): string {
  return Buffer.from(caBundle, "utf8").toString("base64");
}

export function clientConfig(endpoint: Endpoint, path: string, service = NAME): object {
  const { url, namespace } = endpoint;
  const ca = { caBundle: encoded(endpoint) };
  if (url !== undefined) return { ...ca, url: url + path };
  return { ...ca, service: { name: service, namespace, path, port: 443 } };
}

/** Namespaces whose pods are never sent, so that what this program or the cluster needs to come up does not wait for it. */
function excludedNamespaces(own: string): string[] {
  return ["kube-system", own];
}

const DISABLED = "disabled";

/** Whether a pod that is not a mirror pod is sent to the webhook that {@link mutatingConfiguration} describes. */
export function isSentToWebhook(
  own: string,
  pod: { namespace: string; labels: Readonly<Record<string, string>> },
  namespaceLabels: Readonly<Record<string, string>>,
): boolean {
  return (
    !excludedNamespaces(own).includes(pod.namespace) &&
    pod.labels[INJECTION_LABEL] !== DISABLED &&
    namespaceLabels[INJECTION_LABEL] !== DISABLED
  );
}

/** A static pod runs already when the kubelet shows it to the API; nothing can be put into it. */
const NOT_A_MIRROR_POD = {
  name: "not-a-mirror-pod",
  expression: "!has(object.metadata.annotations) || !('kubernetes.io/config.mirror' in object.metadata.annotations)",
};

/**
 * Pods are sent on CREATE only, from all namespaces but kube-system and our own: a pod that this program or the cluster
 * needs to come up must not wait for this program. `IfNeeded`, so that what other webhooks add is seen; that is safe
 * because a second injection equals the first. SidecarSets fail closed: without defaults and hashes they are useless.
 */
export function mutatingConfiguration(endpoint: Endpoint, failurePolicy: FailurePolicy): object {
  const notDisabled = { key: INJECTION_LABEL, operator: "NotIn", values: [DISABLED] };
  const notOurs = {
    key: "kubernetes.io/metadata.name",
    operator: "NotIn",
    values: excludedNamespaces(endpoint.namespace),
  };
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: NAME },
    webhooks: [
      {
        name: "pods.hot.internal",
        clientConfig: clientConfig(endpoint, PATHS.pod),
        rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"], scope: "*" }],
        namespaceSelector: { matchExpressions: [notOurs, notDisabled] },
        objectSelector: { matchExpressions: [notDisabled] },
        matchConditions: [NOT_A_MIRROR_POD],
        reinvocationPolicy: "IfNeeded",
        failurePolicy,
        timeoutSeconds: 5,
        matchPolicy: "Equivalent",
        sideEffects: "NoneOnDryRun",
        admissionReviewVersions: ["v1"],
      },
      { ...sidecarSetWebhook(endpoint, PATHS.sidecarSetDefaults), reinvocationPolicy: "IfNeeded" },
    ],
  };
}

export function validatingConfiguration(endpoint: Endpoint): object {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: NAME },
    webhooks: [sidecarSetWebhook(endpoint, PATHS.sidecarSetValidation)],
  };
}

function sidecarSetWebhook(endpoint: Endpoint, path: string): object {
  return {
    name: "sidecarsets.hot.internal",
    clientConfig: clientConfig(endpoint, path),
    rules: [
      {
        apiGroups: [GROUP],
        apiVersions: ["v1alpha1", "v1beta1"],
        resources: [PLURAL],
        operations: ["CREATE", "UPDATE"],
        scope: "*",
      },
    ],
    namespaceSelector: {},
    objectSelector: {},
    failurePolicy: "Fail",
    timeoutSeconds: 10,
    // Exact: defaults and hashes are made in the version that the client sent, as the API group's contract says.
    matchPolicy: "Exact",
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
  };
}

/** The part of the CustomResourceDefinition that is ours. */
export function conversion(endpoint: Endpoint): object {
  return {
    strategy: "Webhook",
    webhook: {
      clientConfig: clientConfig(endpoint, PATHS.convert, endpoint.conversionService),
      conversionReviewVersions: ["v1"],
    },
  };
}
