// SPDX-License-Identifier: Apache-2.0
import type { EventRecorder } from "@hot/kube";
import { GROUP, KIND, type SidecarSet } from "@hot/spec";
import type { PlannedEvent } from "./plan/events.ts";

/** Takes an event of a pod or, without `event.pod`, of the SidecarSet, which may be gone. Never throws. */
export type EmitEvent = (event: PlannedEvent, sidecarSet: SidecarSet | undefined) => void;

/** Records each event on the pod concerned and on the SidecarSet, whose note then names the pod. */
export function emitTo(recorder: Pick<EventRecorder, "event"> | undefined): EmitEvent {
  return ({ type, reason, message, pod }, sidecarSet) => {
    const text = { type, reason, action: reason === "PodNotInjected" ? "Injecting" : "Upgrading" };
    if (pod !== undefined) {
      recorder?.event({ apiVersion: "v1", kind: "Pod", metadata: pod }, { ...text, note: message });
    }
    if (sidecarSet === undefined) return;
    const { name = "", uid = "", resourceVersion = "" } = sidecarSet.metadata;
    const note = pod === undefined ? message : `Pod ${pod.namespace}/${pod.name}: ${message}`;
    recorder?.event(
      { apiVersion: `${GROUP}/v1beta1`, kind: KIND, metadata: { name, uid, resourceVersion } },
      { ...text, note },
    );
  };
}
