// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import { define } from "./built-in-type.ts";
import * as columns from "./columns.ts";
import { prepareCrd, prepareCrdUpdate, validateCrd } from "./crd.ts";
import { defaultDeployment, validateDeployment } from "./deployment-rules.ts";
import { convertEvent, validateEvent } from "./event-rules.ts";
import { type FieldError, fieldForbidden, fieldInvalid } from "./failure.ts";
import { type ApiObject, field, isJsonObject, type JsonObject, listAt, shown } from "./object.ts";
import { defaultPodOnly, defaultPodSpec, setDefaults } from "./pod-defaults.ts";
import { validatePodSpec, validatePodUpdate } from "./pod-validation.ts";
import { qosClass } from "./qos-class.ts";
import type { Column, ResourceType } from "./resource-type.ts";
import { webhookConfiguration } from "./webhook-configuration.ts";

const POD_FIELDS = [
  "spec.nodeName",
  "spec.restartPolicy",
  "spec.schedulerName",
  "spec.serviceAccountName",
  "status.phase",
  "status.podIP",
  "status.nominatedNodeName",
];
const EVENT_FIELDS = [
  "involvedObject.kind",
  "involvedObject.namespace",
  "involvedObject.name",
  "involvedObject.uid",
  "involvedObject.apiVersion",
  "involvedObject.resourceVersion",
  "involvedObject.fieldPath",
  "reason",
  "reportingComponent",
  "source",
  "type",
];
const REGARDING_FIELDS = [
  "regarding.kind",
  "regarding.namespace",
  "regarding.name",
  "regarding.uid",
  "reason",
  "reportingController",
  "type",
];
const SCALE = { name: "scale", kind: "Scale", group: "autoscaling", version: "v1", verbs: ["get", "patch", "update"] };
const BINDING = { name: "binding", kind: "Binding", group: "", version: "v1", verbs: ["create"] };

/** The built-in kinds: what this server adds to storing and handing out an object. */
export const BUILT_IN: readonly ResourceType[] = [
  define({
    kind: "Pod",
    plural: "pods",
    shortNames: ["po"],
    categories: ["all"],
    status: true,
    generation: true,
    columns: columns.POD_COLUMNS,
    selectable: POD_FIELDS,
    subresources: [BINDING],
    defaults: (pod) =>
      withSpec(pod, (spec) => {
        defaultPodSpec(spec);
        defaultPodOnly(spec);
      }),
    prepareCreate: (pod) => {
      pod.status = { phase: "Pending", qosClass: qosClass(pod.spec) };
    },
    validate: (pod, old) =>
      old
        ? [...validatePodSpec(pod.spec, "spec"), ...validatePodUpdate(pod.spec, old.spec)]
        : validatePodSpec(pod.spec, "spec"),
  }),
  define({
    kind: "Namespace",
    plural: "namespaces",
    shortNames: ["ns"],
    namespaced: false,
    status: true,
    columns: columns.NAMESPACE_COLUMNS,
    selectable: ["status.phase"],
    prepareCreate: (namespace) => {
      namespace.spec = { finalizers: ["kubernetes"] };
      namespace.status = { phase: "Active" };
      namespace.metadata.labels = {
        ...namespace.metadata.labels,
        "kubernetes.io/metadata.name": namespace.metadata.name ?? "",
      };
    },
    prepareUpdate: (namespace, old) => {
      namespace.spec = old.spec;
    },
  }),
  define({
    kind: "ConfigMap",
    plural: "configmaps",
    shortNames: ["cm"],
    columns: columns.DATA_COLUMNS,
    validate: immutableData,
  }),
  define({
    kind: "Secret",
    plural: "secrets",
    columns: columns.SECRET_COLUMNS,
    selectable: ["type"],
    defaults: defaultSecret,
    validate: immutableData,
  }),
  define({
    kind: "Service",
    plural: "services",
    shortNames: ["svc"],
    categories: ["all"],
    status: true,
    columns: columns.SERVICE_COLUMNS,
    defaults: (service) => withSpec(service, defaultService),
  }),
  define({
    kind: "Event",
    plural: "events",
    shortNames: ["ev"],
    columns: columns.EVENT_COLUMNS,
    selectable: EVENT_FIELDS,
    validate: validateEvent,
  }),
  define({
    kind: "Event",
    plural: "events",
    shortNames: ["ev"],
    group: "events.k8s.io",
    columns: columns.EVENT_COLUMNS.map(ofCoreEvent),
    selectable: REGARDING_FIELDS,
    storage: { collection: "/events", apiVersion: "v1" },
    validate: validateEvent,
  }),
  define({
    kind: "Node",
    plural: "nodes",
    shortNames: ["no"],
    namespaced: false,
    status: true,
    columns: columns.NODE_COLUMNS,
    selectable: ["spec.unschedulable"],
    defaults: (node) => {
      node.spec ??= {};
    },
  }),
  define({
    kind: "Deployment",
    plural: "deployments",
    group: "apps",
    shortNames: ["deploy"],
    categories: ["all"],
    status: true,
    generation: true,
    columns: columns.DEPLOYMENT_COLUMNS,
    subresources: [SCALE],
    defaults: defaultDeployment,
    prepareCreate: emptyStatus,
    validate: validateDeployment,
  }),
  define({
    kind: "ReplicaSet",
    plural: "replicasets",
    group: "apps",
    shortNames: ["rs"],
    categories: ["all"],
    status: true,
    generation: true,
    columns: columns.REPLICA_SET_COLUMNS,
    prepareCreate: emptyStatus,
  }),
  define({
    kind: "ControllerRevision",
    plural: "controllerrevisions",
    group: "apps",
    columns: columns.REVISION_COLUMNS,
    validate: (revision, old) =>
      old && !isDeepStrictEqual(revision.data, old.data)
        ? [fieldInvalid("data", revision.data, "field is immutable")]
        : [],
  }),
  define({
    kind: "Lease",
    plural: "leases",
    group: "coordination.k8s.io",
    unconditionalUpdate: false,
    columns: columns.LEASE_COLUMNS,
  }),
  define({
    kind: "CustomResourceDefinition",
    plural: "customresourcedefinitions",
    group: "apiextensions.k8s.io",
    shortNames: ["crd", "crds"],
    namespaced: false,
    status: true,
    generation: true,
    unconditionalUpdate: false,
    columns: columns.CRD_COLUMNS,
    prepareCreate: prepareCrd,
    prepareUpdate: prepareCrdUpdate,
    validate: validateCrd,
  }),
  webhookConfiguration("MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
  webhookConfiguration("ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
];

/** The column of an event in its newer form. */
function ofCoreEvent(column: Column): Column {
  return Object.assign({}, column, {
    value: (event: ApiObject, now: Date) => column.value(convertEvent(event, "v1"), now),
  });
}

function withSpec(object: JsonObject, change: (spec: JsonObject) => void): void {
  if (isJsonObject(object.spec)) change(object.spec);
}

function emptyStatus(object: JsonObject): void {
  object.status = {};
}

function defaultSecret(secret: JsonObject): void {
  secret.type ??= "Opaque";
  if (!isJsonObject(secret.stringData)) return;
  const encoded = Object.entries(secret.stringData).map(([key, value]) => [
    key,
    Buffer.from(shown(value)).toString("base64"),
  ]);
  secret.data = { ...(isJsonObject(secret.data) ? secret.data : {}), ...Object.fromEntries(encoded) };
  delete secret.stringData;
}

function defaultService(spec: JsonObject): void {
  setDefaults(spec, { type: "ClusterIP", sessionAffinity: "None", clusterIP: "None" });
  for (const port of listAt(spec, "ports")) setDefaults(port, { protocol: "TCP", targetPort: port.port });
}

function immutableData(object: JsonObject, old: JsonObject | undefined): FieldError[] {
  if (!old || field(old, "immutable") !== true) return [];
  const same = isDeepStrictEqual(object.data, old.data) && isDeepStrictEqual(object.binaryData, old.binaryData);
  return same ? [] : [fieldForbidden("data", "field is immutable when `immutable` is set")];
}
