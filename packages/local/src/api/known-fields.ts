// SPDX-License-Identifier: Apache-2.0
import { at, isJsonObject, type JsonObject, listAt } from "./object.ts";

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Fields of Kubernetes 1.34 in the places where people write by hand; deeper ones are taken as they come. */
const POD_SPEC = words(`
  activeDeadlineSeconds affinity automountServiceAccountToken containers dnsConfig dnsPolicy enableServiceLinks ephemeralContainers
  hostAliases hostIPC hostNetwork hostPID hostUsers hostname hostnameOverride imagePullSecrets initContainers nodeName nodeSelector os
  overhead preemptionPolicy priority priorityClassName readinessGates resourceClaims resources restartPolicy runtimeClassName
  schedulerName schedulingGates securityContext serviceAccount serviceAccountName setHostnameAsFQDN shareProcessNamespace subdomain
  terminationGracePeriodSeconds tolerations topologySpreadConstraints volumes`);
const CONTAINER = words(`
  args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe resizePolicy resources restartPolicy
  restartPolicyRules securityContext startupProbe stdin stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices
  volumeMounts workingDir`);
const DEPLOYMENT_SPEC = words(
  "minReadySeconds paused progressDeadlineSeconds replicas revisionHistoryLimit selector strategy template",
);

/** Removes the fields that pods and Deployments do not have, as a cluster does when it reads them, and names them. */
export function dropUnknownFields(kind: string, object: JsonObject, dropped: string[]): void {
  if (kind === "Pod") dropFromPodSpec(at(object, "spec"), "spec", dropped);
  if (kind !== "Deployment") return;
  drop(at(object, "spec"), DEPLOYMENT_SPEC, "spec", dropped);
  dropFromPodSpec(at(object, "spec", "template", "spec"), "spec.template.spec", dropped);
}

function dropFromPodSpec(spec: unknown, path: string, dropped: string[]): void {
  drop(spec, POD_SPEC, path, dropped);
  for (const list of ["initContainers", "containers"]) {
    listAt(spec, list).forEach((container, index) => drop(container, CONTAINER, `${path}.${list}[${index}]`, dropped));
  }
}

function drop(value: unknown, known: ReadonlySet<string>, path: string, dropped: string[]): void {
  if (!isJsonObject(value)) return;
  for (const name of Object.keys(value)) {
    if (known.has(name)) continue;
    delete value[name];
    dropped.push(`${path}.${name}`);
  }
}
