// SPDX-License-Identifier: Apache-2.0
import { RESOURCES, type Api } from "@hot/kube";
import type { SidecarSet } from "@hot/spec";
import { podName, type AdmissionRequest } from "./admission.ts";
import type { Fault } from "./handlers/pod.ts";
import type { Log } from "./log.ts";

/** One event for all pods of a workload that fail for one reason, at most this often. */
const QUIET_MS = 10 * 60 * 1000;
const MAX_REMEMBERED = 1000;

export interface InjectionEvents {
  /** Reports in the background that a pod was not injected; it never throws and never waits. */
  skipped(request: AdmissionRequest, fault: Fault, sidecarSet: SidecarSet | undefined): void;
}

export interface InjectionEventsOptions {
  api: Pick<Api, "create">;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Name of this replica. */
  instance: string;
  log: Log;
}

/** `InjectionSkipped` events on the SidecarSet, since the pod has no identity yet at admission. */
export function createInjectionEvents({ api, now, instance, log }: InjectionEventsOptions): InjectionEvents {
  const last = new Map<string, number>();

  /** Whether this was not said recently. */
  const isNew = (key: string): boolean => {
    const time = now();
    if (time - (last.get(key) ?? -Infinity) < QUIET_MS) return false;
    last.delete(key);
    last.set(key, time);
    const [oldest] = last.keys();
    if (last.size > MAX_REMEMBERED && oldest !== undefined) last.delete(oldest);
    return true;
  };

  return {
    skipped: (request, fault, sidecarSet) => {
      if (request.dryRun === true) return;
      const workload = workloadOf(request);
      if (!isNew([request.namespace, workload, fault.sidecarSet, fault.code].join("/"))) return;
      const event = eventOf(request, fault, sidecarSet, { time: now(), instance });
      api.create(RESOURCES.eventsV1, event).catch((error: unknown) => {
        log.warn("event not written", { err: error, note: event.note });
      });
    },
  };
}

function workloadOf(request: AdmissionRequest): string {
  const { generateName, name } =
    (request.object as { metadata?: { generateName?: string; name?: string } }).metadata ?? {};
  return generateName ?? name ?? "";
}

function eventOf(
  request: AdmissionRequest,
  fault: Fault,
  sidecarSet: SidecarSet | undefined,
  { time, instance }: { time: number; instance: string },
): { note: string } {
  const pod = { apiVersion: "v1", kind: "Pod", namespace: request.namespace ?? "default", name: workloadOf(request) };
  const { name = "", uid } = sidecarSet?.metadata ?? {};
  const set = { apiVersion: "apps.kruise.io/v1beta1", kind: "SidecarSet", name, ...(uid !== undefined && { uid }) };
  const regarding = sidecarSet === undefined ? pod : set;
  // Events about objects without a namespace live in `default`.
  const namespace = sidecarSet === undefined ? pod.namespace : "default";
  const note = `${podName(request)} was not injected: ${fault.sentence}. ${fault.fix} (${fault.code})`;
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { generateName: "injection-skipped-", namespace },
    eventTime: new Date(time).toISOString().replace("Z", "000Z"),
    reportingController: "hot.internal/webhook",
    reportingInstance: instance,
    action: "Inject",
    reason: "InjectionSkipped",
    regarding,
    related: pod,
    type: "Warning",
    note: note.slice(0, 1024),
  } as { note: string };
}
