// SPDX-License-Identifier: Apache-2.0
import type { EventRecorder } from "@hot/kube";
import type { SidecarSet } from "@hot/spec";
import { podName, type AdmissionRequest } from "./admission.ts";
import type { Fault } from "./handlers/pod.ts";

/** One event for all pods of a workload that fail for one reason, at most this often. */
const QUIET_MS = 10 * 60 * 1000;
const MAX_REMEMBERED = 1000;

export interface InjectionEvents {
  /** Reports that a pod was not injected; it never throws and never waits. */
  skipped(request: AdmissionRequest, fault: Fault, sidecarSet: SidecarSet | undefined): void;
}

export interface InjectionEventsOptions {
  recorder: Pick<EventRecorder, "event">;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** `InjectionSkipped` on the SidecarSet at fault, since the pod has no identity yet at admission; else on the pod. */
export function createInjectionEvents({ recorder, now }: InjectionEventsOptions): InjectionEvents {
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
      const pod = podReference(request);
      if (!isNew([pod.metadata.namespace, pod.metadata.name, fault.sidecarSet, fault.code].join("/"))) return;
      const note = `${podName(request)} was not injected: ${fault.sentence}. ${fault.fix} (${fault.code})`;
      const text = { type: "Warning", reason: "InjectionSkipped", action: "Injecting", note } as const;
      recorder.event(sidecarSet === undefined ? pod : sidecarSetReference(sidecarSet), text);
    },
  };
}

/** Of a pod whose name is not chosen yet, what all pods of its workload have in common. */
function podReference({ namespace = "default", object }: AdmissionRequest): Parameters<EventRecorder["event"]>[0] & {
  metadata: { name: string; namespace: string };
} {
  const { generateName, name } =
    (object as { metadata?: { generateName?: string; name?: string } } | null)?.metadata ?? {};
  return { apiVersion: "v1", kind: "Pod", metadata: { namespace, name: name || generateName || "" } };
}

function sidecarSetReference({ metadata }: SidecarSet): Parameters<EventRecorder["event"]>[0] {
  const { name = "", uid } = metadata;
  return { apiVersion: "apps.kruise.io/v1beta1", kind: "SidecarSet", metadata: { name, ...(uid && { uid }) } };
}
