// SPDX-License-Identifier: Apache-2.0
import type { KubeObject, Resource } from "./api.ts";

const resource = (group: string, version: string, plural: string, namespaced: boolean): Resource =>
  Object.freeze({ group, version, plural, namespaced });

/** The built-in kinds that controllers commonly need. A custom resource is written out as a {@link Resource}. */
export const RESOURCES = Object.freeze({
  pods: resource("", "v1", "pods", true),
  namespaces: resource("", "v1", "namespaces", false),
  configMaps: resource("", "v1", "configmaps", true),
  secrets: resource("", "v1", "secrets", true),
  /** The old Event of the core group; new ones are written through `eventsV1`, both show the same objects. */
  events: resource("", "v1", "events", true),
  eventsV1: resource("events.k8s.io", "v1", "events", true),
  deployments: resource("apps", "v1", "deployments", true),
  controllerRevisions: resource("apps", "v1", "controllerrevisions", true),
  leases: resource("coordination.k8s.io", "v1", "leases", true),
  customResourceDefinitions: resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", false),
  mutatingWebhookConfigurations: resource("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", false),
  validatingWebhookConfigurations: resource(
    "admissionregistration.k8s.io",
    "v1",
    "validatingwebhookconfigurations",
    false,
  ),
});

/** `namespace/name`, or `name` for an object without namespace: the key of stores and queues. */
export function objectKey(object: { metadata: Pick<KubeObject["metadata"], "name" | "namespace"> }): string {
  const { name = "", namespace } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}
