// SPDX-License-Identifier: Apache-2.0
import { age } from "./age.ts";
import { at, isJsonObject, listAt, numberAt, shown, textAt } from "./object.ts";
import type { Column } from "./resource-type.ts";

type Value = Column["value"];

const column = (name: string, value: Value, priority = 0, type = "string"): Column => ({ name, type, priority, value });
const wide = (name: string, value: Value): Column => column(name, value, 1);

export const NAME: Column = {
  name: "Name",
  type: "string",
  format: "name",
  priority: 0,
  value: (object) => object.metadata.name ?? "",
};
export const AGE: Column = column("Age", (object, now) => age(object.metadata.creationTimestamp, now));

const text =
  (...path: string[]): Value =>
  (object) =>
    textAt(object, ...path) ?? "<none>";
const count =
  (...path: string[]): Value =>
  (object) =>
    at(object, ...path) ?? 0;
const size = (object: unknown, name: string): number => Object.keys(at(object, name) ?? {}).length;
const joined = (items: unknown[]): string => items.join(",") || "<none>";
const labels = (value: unknown): string =>
  joined(Object.entries(isJsonObject(value) ? value : {}).map(([key, item]) => `${key}=${shown(item)}`));

const restarts: Value = (object) =>
  listAt(object, "status", "containerStatuses").reduce((sum, status) => sum + numberAt(status, "restartCount"), 0);

/** The word in the STATUS column of a pod: a reason that explains why it is not simply in its phase. */
const podStatus: Value = (object) => {
  if (object.metadata.deletionTimestamp !== undefined) return "Terminating";
  let word = textAt(object, "status", "reason") ?? textAt(object, "status", "phase") ?? "Unknown";
  for (const status of listAt(object, "status", "containerStatuses").toReversed()) {
    const waiting = textAt(status, "state", "waiting", "reason");
    const terminated = at(status, "state", "terminated");
    if (waiting) word = waiting;
    else if (isJsonObject(terminated)) {
      const code =
        terminated.signal === undefined
          ? `ExitCode:${shown(terminated.exitCode)}`
          : `Signal:${shown(terminated.signal)}`;
      word = textAt(terminated, "reason") ?? code;
    }
  }
  return word;
};

export const POD_COLUMNS: readonly Column[] = [
  NAME,
  column("Ready", (object) => {
    const ready = listAt(object, "status", "containerStatuses").filter((status) => status.ready === true).length;
    return `${ready}/${listAt(object, "spec", "containers").length}`;
  }),
  column("Status", podStatus),
  column("Restarts", restarts),
  AGE,
  wide("IP", text("status", "podIP")),
  wide("Node", text("spec", "nodeName")),
  wide("Nominated Node", text("status", "nominatedNodeName")),
  wide("Readiness Gates", () => "<none>"),
];

const containersOf = (object: unknown) => listAt(object, "spec", "template", "spec", "containers");
const workload: readonly Column[] = [
  AGE,
  wide("Containers", (object) => joined(containersOf(object).map(({ name }) => name))),
  wide("Images", (object) => joined(containersOf(object).map(({ image }) => image))),
  wide("Selector", (object) => labels(at(object, "spec", "selector", "matchLabels"))),
];

export const DEPLOYMENT_COLUMNS: readonly Column[] = [
  NAME,
  column("Ready", (object) => `${numberAt(object, "status", "readyReplicas")}/${numberAt(object, "spec", "replicas")}`),
  column("Up-to-date", count("status", "updatedReplicas")),
  column("Available", count("status", "availableReplicas")),
  ...workload,
];

export const REPLICA_SET_COLUMNS: readonly Column[] = [
  NAME,
  column("Desired", count("spec", "replicas")),
  column("Current", count("status", "replicas")),
  column("Ready", count("status", "readyReplicas")),
  ...workload,
];

export const NAMESPACE_COLUMNS: readonly Column[] = [NAME, column("Status", text("status", "phase")), AGE];
export const DATA_COLUMNS: readonly Column[] = [
  NAME,
  column("Data", (object) => size(object, "data") + size(object, "binaryData")),
  AGE,
];
export const SECRET_COLUMNS: readonly Column[] = [
  NAME,
  column("Type", text("type")),
  column("Data", (object) => size(object, "data")),
  AGE,
];
export const SERVICE_COLUMNS: readonly Column[] = [
  NAME,
  column("Type", (object) => textAt(object, "spec", "type") ?? "ClusterIP"),
  column("Cluster-IP", text("spec", "clusterIP")),
  column("External-IP", () => "<none>"),
  column("Port(s)", (object) =>
    joined(
      listAt(object, "spec", "ports").map(
        ({ port, protocol }) => `${shown(port)}/${typeof protocol === "string" ? protocol : "TCP"}`,
      ),
    ),
  ),
  AGE,
  wide("Selector", (object) => labels(at(object, "spec", "selector"))),
];

export const EVENT_COLUMNS: readonly Column[] = [
  column("Last Seen", (object, now) =>
    age(textAt(object, "lastTimestamp") ?? textAt(object, "eventTime") ?? textAt(object, "firstTimestamp"), now),
  ),
  column("Type", text("type")),
  column("Reason", text("reason")),
  column(
    "Object",
    (object) =>
      `${(textAt(object, "involvedObject", "kind") ?? "").toLowerCase()}/${textAt(object, "involvedObject", "name") ?? ""}`,
  ),
  wide("Subobject", (object) => textAt(object, "involvedObject", "fieldPath") ?? ""),
  wide("Source", (object) => textAt(object, "source", "component") ?? textAt(object, "reportingComponent") ?? ""),
  column("Message", (object) => (textAt(object, "message") ?? "").trim()),
  wide("First Seen", (object, now) => age(textAt(object, "firstTimestamp") ?? textAt(object, "eventTime"), now)),
  wide("Count", (object) => at(object, "count") ?? 1),
  { ...NAME, priority: 1 },
];

export const REVISION_COLUMNS: readonly Column[] = [
  NAME,
  column("Controller", (object) => {
    const owner = object.metadata.ownerReferences?.find(({ controller }) => controller);
    return owner
      ? `${owner.kind.toLowerCase()}${owner.apiVersion.includes("/") ? `.${owner.apiVersion.split("/")[0]}` : ""}/${owner.name}`
      : "<none>";
  }),
  column("Revision", count("revision")),
  AGE,
];

export const LEASE_COLUMNS: readonly Column[] = [
  NAME,
  column("Holder", (object) => textAt(object, "spec", "holderIdentity") ?? ""),
  AGE,
];
export const WEBHOOK_COLUMNS: readonly Column[] = [
  NAME,
  column("Webhooks", (object) => listAt(object, "webhooks").length),
  AGE,
];
export const CRD_COLUMNS: readonly Column[] = [
  NAME,
  column("Created At", (object) => object.metadata.creationTimestamp ?? ""),
];

export const NODE_COLUMNS: readonly Column[] = [
  NAME,
  column("Status", (object) =>
    listAt(object, "status", "conditions").some(({ type, status }) => type === "Ready" && status === "True")
      ? "Ready"
      : "NotReady",
  ),
  column("Roles", () => "<none>"),
  AGE,
  column("Version", (object) => textAt(object, "status", "nodeInfo", "kubeletVersion") ?? ""),
  wide(
    "Internal-IP",
    (object) =>
      textAt(
        listAt(object, "status", "addresses").find(({ type }) => type === "InternalIP"),
        "address",
      ) ?? "<none>",
  ),
];

export const DEFAULT_COLUMNS: readonly Column[] = [NAME, AGE];
