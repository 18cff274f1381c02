// SPDX-License-Identifier: Apache-2.0
import type { Pod } from "@hot/spec";
import type { NodeParts } from "./node-parts.ts";
import { PodWorker } from "./pod-worker.ts";
import { watchPods } from "./pod-watch.ts";

export interface Kubelet {
  /** Lets go of everything at once; containers go on. */
  crash(): void;
}

/** Runs the pods of one node: one worker per pod uid. Resolves when the first list of pods has been taken in. */
export async function startKubelet(parts: NodeParts, nodeName: string): Promise<Kubelet> {
  const { runtime, api, clock, log } = parts;
  const workers = new Map<string, PodWorker>();

  const observe = (pod: Pod): void => {
    const { uid = "" } = pod.metadata;
    const worker = workers.get(uid);
    if (worker === undefined) workers.set(uid, new PodWorker(parts, pod, () => workers.delete(uid)));
    else worker.update(pod);
  };
  runtime.onChange((uid) => workers.get(uid)?.trigger());
  const watch = await watchPods(api, nodeName, {
    clock,
    log,
    onPod: observe,
    onGone: (pod) => workers.get(pod.metadata.uid ?? "")?.remove(),
  });
  // containers of pods that were deleted while no kubelet ran
  for (const uid of runtime.pods().filter((uid) => !workers.has(uid))) {
    await Promise.all(runtime.instances(uid).map(({ id }) => runtime.stop(id, 0)));
    runtime.removePod(uid);
  }
  return {
    crash: () => {
      runtime.onChange(undefined);
      watch.stop();
      for (const worker of workers.values()) worker.crash();
      workers.clear();
    },
  };
}
