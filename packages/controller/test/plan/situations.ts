// SPDX-License-Identifier: Apache-2.0
import {
  RECORD_ANNOTATION_PREFIX,
  type ContainerStatus,
  type Pod,
  type PodCondition,
  type SidecarSet,
} from "@hot/spec";
import { injectedPod, running, sidecarSet, T0 } from "../support/builders.ts";
import { carriedOut } from "../support/kubelet.ts";
import { after, planFor, upgrading, type Circumstances } from "../support/planning.ts";

export const v1 = sidecarSet({ image: "x:1", generation: 1, resourceVersion: "4000" });
export const v2 = sidecarSet({ image: "x:2" });
export const v3 = sidecarSet({ image: "x:3", generation: 3, resourceVersion: "6000" });
export const back = sidecarSet({ image: "x:1", generation: 3, resourceVersion: "7000" });
export const calm = injectedPod(v1);
/** In mid-upgrade to x:2, and the kubelet has reported nothing yet. */
export const written = upgrading(calm, v2);
export const DEADLINE = T0 + 120_000;

export function status(pod: Pod, name: string, change: Partial<ContainerStatus>, observedGeneration?: number): Pod {
  const statuses = pod.status?.containerStatuses?.map((one) =>
    one.name === name ? Object.assign({}, one, change) : one,
  );
  const generation = observedGeneration ?? pod.metadata.generation ?? 0;
  return { ...pod, status: { ...pod.status, observedGeneration: generation, containerStatuses: statuses ?? [] } };
}

export function annotate(pod: Pod, annotations: Record<string, string | undefined>): Pod {
  const merged = Object.entries({ ...pod.metadata.annotations, ...annotations }).filter(
    ([, value]) => value !== undefined,
  );
  return { ...pod, metadata: { ...pod.metadata, annotations: Object.fromEntries(merged) as Record<string, string> } };
}

/** As its node's controller leaves a pod when the kubelet does not answer any more. */
export function silent(pod: Pod): Pod {
  return conditions(pod, [
    { type: "Ready", status: "False", lastTransitionTime: "2030-01-01T00:00:00Z" },
    { type: "ContainersReady", status: "True", lastTransitionTime: "2029-12-31T00:00:10Z" },
  ]);
}

/** Of which nobody says that it is ready. */
export function notReady(pod: Pod): Pod {
  return conditions(pod, []);
}

/** With a readinessGate that says yes or no. */
export function gated(pod: Pod, status: "True" | "False"): Pod {
  const spec = { ...pod.spec, readinessGates: [{ conditionType: "example.org/gate" }] };
  return conditions({ ...pod, spec }, [...(pod.status?.conditions ?? []), { type: "example.org/gate", status }]);
}

function conditions(pod: Pod, all: PodCondition[]): Pod {
  return { ...pod, status: { ...pod.status, conditions: all } };
}

export function image(pod: Pod, name: string, to: string): Pod {
  const containers = pod.spec.containers.map((one) =>
    one.name === name ? Object.assign({}, one, { image: to }) : one,
  );
  return { ...pod, spec: { ...pod.spec, containers } };
}

export function strategy(set: SidecarSet, change: NonNullable<SidecarSet["spec"]["updateStrategy"]>): SidecarSet {
  return { ...set, spec: { ...set.spec, updateStrategy: { ...set.spec.updateStrategy, ...change } } };
}

export const waiting = (reason: string) => ({ state: { waiting: { reason } }, ready: false, started: false });
export const down = {
  state: { terminated: { exitCode: 1, containerID: "c://x-1-x:1-1" } },
  ready: false,
  started: false,
};
export const newSide = running("x-2", "x:2", 2);
/** The new side runs, is ready, and nothing contradicts it. */
export const taken = status(written, "x-2", newSide);
export const reset = after(taken, planFor([taken], v2).writes[0]?.write);
export const done = carriedOut(reset)!;
export const failing = status(written, "x-2", waiting("ErrImagePull"));
export const crashed = status(written, "x-2", {
  ...newSide,
  ...waiting("CrashLoopBackOff"),
  lastState: { terminated: { exitCode: 3, containerID: newSide.containerID! } },
});
export const aborted = after(failing, planFor([failing], v2).writes[0]?.write);
export const abortedCalm = carriedOut(aborted)!;
/** As Kruise leaves it: everything but our record. */
export const kruise = annotate(written, { [`${RECORD_ANNOTATION_PREFIX}x`]: undefined });
export const bothZero = annotate(calm, { "version.sidecarset.kruise.io/x-1": "0" });
export const withoutImageDiffers: SidecarSet = sidecarSet({ image: "x:2", probe: { exec: { command: ["/other"] } } });
export const rolledBackOtherwise: SidecarSet = sidecarSet({ image: "x:1", probe: { exec: { command: ["/other"] } } });
export const emptyOnly = sidecarSet({ image: "x:1", empty: "e:2" });

/** A situation, and what is done in it. */
export interface Row {
  /** Of the table in docs/hot-upgrade.md. */
  row: number;
  state: string;
  observation: string;
  pod: Pod;
  set: SidecarSet | undefined;
  is: string;
  but?: Circumstances;
}

/** Stalled, by its status. */
export const stalled: SidecarSet = {
  ...v2,
  status: {
    matchedPods: 1,
    updatedPods: 0,
    readyPods: 1,
    conditions: [
      { type: "Stalled", status: "True", observedGeneration: 2, reason: "R", message: "", lastTransitionTime: "" },
    ],
  },
};
export const waits = strategy(v2, { hotUpgrade: { onFailure: "Wait" } });
/** In mid-upgrade by a SidecarSet that leaves what has failed. */
export const waitWritten = upgrading(calm, waits);
export const soaks = strategy(v2, { hotUpgrade: { minReadySeconds: 10 } });
/** Aborted; a kubelet that reports no generation still shows the standby of before. */
export const unreported: Pod = annotate(aborted, {});
unreported.status = { ...calm.status, observedGeneration: undefined } as never;
/** Its cold container was changed in place, and still runs what it ran before. */
export const cold = (image: string): SidecarSet => sidecarSet({ containers: [{ name: "c", image }] });
const coldCalm = injectedPod(cold("c:1"));
export const inconsistent = after(coldCalm, planFor([coldCalm], cold("c:2")).writes[0]?.write);
