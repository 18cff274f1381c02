// SPDX-License-Identifier: Apache-2.0
import { defaultPullPolicy } from "@hot/spec";
import { at, field, isJsonObject, type JsonObject, listAt } from "./object.ts";

/** Defaults of a pod's spec as a cluster fills them in; also for the template of a workload. Changes the spec. */
export function defaultPodSpec(spec: JsonObject): void {
  setDefaults(spec, {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    securityContext: {},
    schedulerName: "default-scheduler",
  });
  for (const container of [...listAt(spec, "initContainers"), ...listAt(spec, "containers")])
    defaultContainer(container);
  for (const volume of listAt(spec, "volumes")) defaultVolume(volume);
}

/** What only a real pod gets, not a template. */
export function defaultPodOnly(spec: JsonObject): void {
  setDefaults(spec, { enableServiceLinks: true, preemptionPolicy: "PreemptLowerPriority", priority: 0 });
}

function defaultContainer(container: JsonObject): void {
  setDefaults(container, {
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: defaultPullPolicy(typeof container.image === "string" ? container.image : ""),
    resources: {},
  });
  for (const port of listAt(container, "ports")) setDefaults(port, { protocol: "TCP" });
  for (const env of listAt(container, "env")) {
    const reference = at(env, "valueFrom", "fieldRef");
    if (isJsonObject(reference)) setDefaults(reference, { apiVersion: "v1" });
  }
  for (const name of ["livenessProbe", "readinessProbe", "startupProbe"]) {
    const probe = field(container, name);
    if (isJsonObject(probe)) {
      setDefaults(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
      defaultHandler(probe);
    }
  }
  for (const name of ["postStart", "preStop"]) defaultHandler(at(container, "lifecycle", name));
  defaultRequests(container);
}

function defaultHandler(handler: unknown): void {
  const get = field(handler, "httpGet");
  if (isJsonObject(get)) setDefaults(get, { path: "/", scheme: "HTTP" });
}

/** A limit without a request is its own request. */
function defaultRequests(container: JsonObject): void {
  const limits = at(container, "resources", "limits");
  const resources = field(container, "resources");
  if (!isJsonObject(limits) || !isJsonObject(resources)) return;
  const requests = isJsonObject(resources.requests) ? resources.requests : {};
  setDefaults(requests, limits);
  resources.requests = requests;
}

const MODE = 0o644;

function defaultVolume(volume: JsonObject): void {
  if (Object.keys(volume).length === 1) volume.emptyDir = {};
  for (const source of ["secret", "configMap", "downwardAPI", "projected"]) {
    const value = field(volume, source);
    if (isJsonObject(value)) setDefaults(value, { defaultMode: MODE });
  }
  const hostPath = field(volume, "hostPath");
  if (isJsonObject(hostPath)) setDefaults(hostPath, { type: "" });
  for (const item of listAt(volume, "downwardAPI", "items")) {
    const reference = field(item, "fieldRef");
    if (isJsonObject(reference)) setDefaults(reference, { apiVersion: "v1" });
  }
}

/** Sets the fields that are absent. */
export function setDefaults(target: JsonObject, defaults: JsonObject): void {
  for (const [name, value] of Object.entries(defaults)) {
    if (target[name] === undefined || target[name] === null) target[name] = structuredClone(value);
  }
}
