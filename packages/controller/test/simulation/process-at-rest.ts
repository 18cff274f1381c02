// SPDX-License-Identifier: Apache-2.0
import type { Pod } from "@hot/spec";
import type { Cluster } from "./cluster.ts";
import { fateOf } from "./images.ts";
import type { Machine } from "./machine.ts";
import { pairFacts, type SideFacts } from "./pod-facts.ts";
import { isLost } from "./pod-truth.ts";
import type { Process } from "./process.ts";

/** Of a settled pair: who serves is who accepts, with the version that the annotation says. */
export function processProblem(pod: Pod, cluster: Cluster): string | undefined {
  const name = `ns1/${pod.metadata.name}`;
  const machine = cluster.machines.get(name);
  for (const base of cluster.bases) {
    const { serving, sides } = pairFacts(pod, base);
    if (serving === undefined || machine === undefined || isLost(pod, cluster)) continue;
    const process = machine.of(serving.container);
    if (process.state !== "running" || fateOf(process.image) !== "runs") continue;
    const sockets = machine.socketsOf(serving.container);
    const owner = sockets?.owner === undefined ? undefined : sockets.sides[sockets.owner];
    if (owner !== process) return `I1: ${name}: ${serving.container} is to serve, and ${owner?.container} accepts`;
    if (process.version !== serving.version && !isKeptByKubelet(pod, machine, process, serving)) {
      return `I10: ${name}: ${serving.container} runs with VERSION ${process.version}, its annotation says ${serving.version}`;
    }
    const standby = sides.find((side) => side !== serving)!;
    if (machine.of(standby.container).image !== standby.image)
      return `I7: ${name}: ${standby.container} is not on its image`;
  }
  return undefined;
}

/**
 * Where an upgrade was aborted before the kubelet heard of the abort, the container may get the very image that runs
 * there by then once more: from Kruise, which does not wait for the kubelet, and from whoever cannot, as a kubelet
 * before Kubernetes 1.34 does not say what it has heard of. To the kubelet nothing has changed, so the process keeps
 * the VERSION of the first upgrade. It is less than the one given now, so that the order among the pair (I4) holds; the
 * next start of the container brings the other one.
 */
function isKeptByKubelet(pod: Pod, machine: Machine, process: Process, side: SideFacts): boolean {
  const { container, image, version } = side;
  const isEarlier = process.nth < (machine.nth.get(container) ?? 0) && process.version < version;
  const isBlind = pod.status?.observedGeneration === undefined || machine.byKruise.get(container) === String(version);
  return isBlind && process.image === image && isEarlier;
}
