// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import type { Pod, PodStatus } from "@hot/spec";

/** What a simulated kubelet needs to know of a pod. */
export interface NodePod {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly containers: readonly { readonly name: string; readonly image: string }[];
}

export function nodePod({ metadata, spec }: Pod): NodePod {
  const { namespace = "", name = "", uid = "", generation = 1 } = metadata;
  const containers = spec.containers.map((one) => ({ name: one.name, image: one.image ?? "" }));
  return { key: `${namespace}/${name}`, namespace, name, uid, generation, containers };
}

/**
 * The status that a kubelet reports once everything in the pod's spec runs and is ready. Containers whose image has not
 * changed are as in `before`; of the others a new instance runs, with another ID and, for another image, another digest.
 * A real kubelet reports in between that such a pod is not ready; what is left of that in one report is that its
 * conditions turned true now. `now`: epoch milliseconds.
 */
export function reported(pod: NodePod, before: PodStatus | undefined, now: number): PodStatus {
  const time = new Date(Math.floor(now / 1000) * 1000).toISOString().replace(".000Z", "Z");
  const condition = (type: string) => ({ type, status: "True" as const, lastTransitionTime: time });
  const { containerStatuses = [] } = before ?? {};
  return {
    phase: "Running",
    observedGeneration: pod.generation,
    conditions: ["Ready", "ContainersReady"].map(condition),
    containerStatuses: pod.containers.map(({ name, image }) => {
      const last = containerStatuses.find((one) => one.name === name);
      if (last?.image === image) return last;
      const restartCount = last === undefined ? 0 : last.restartCount + 1;
      const ended = last?.containerID === undefined ? undefined : { exitCode: 0, containerID: last.containerID };
      return {
        name,
        image,
        imageID: `${image.slice(0, image.lastIndexOf(":"))}@sha256:${sha256(image)}`,
        containerID: `containerd://${sha256(`${pod.uid} ${name} ${restartCount}`)}`,
        ready: true,
        started: true,
        restartCount,
        state: { running: { startedAt: time } },
        ...(ended && { lastState: { terminated: ended } }),
      };
    }),
  };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
