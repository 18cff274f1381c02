// SPDX-License-Identifier: Apache-2.0
import { createReflector, RESOURCES } from "@hot/kube";
import type { Pod } from "@hot/spec";
import type { NodeParts } from "./node-parts.ts";
import { PodWorker } from "./pod-worker.ts";

export interface Kubelet {
  /** Lets go of everything at once; containers go on. */
  crash(): void;
}

/** Runs the pods of one node: one worker per pod uid. Resolves when the pods that there are have been taken in. */
export async function startKubelet(parts: NodeParts, nodeName: string, cancelled: AbortSignal): Promise<Kubelet> {
  const { runtime, api, clock, log } = parts;
  const workers = new Map<string, PodWorker>();
  const death = new AbortController();
  const pods = createReflector<Pod>({
    api,
    resource: RESOURCES.pods,
    fieldSelector: `spec.nodeName=${nodeName}`,
    clock,
    onError: (error) => log(`pods of node ${nodeName}: ${(error as Error).message}`),
  });
  pods.subscribe(({ type, object }) => {
    const { uid = "" } = object.metadata;
    const worker = workers.get(uid);
    if (type === "deleted") worker?.remove();
    else if (worker === undefined) workers.set(uid, new PodWorker(parts, object, () => workers.delete(uid)));
    else worker.update(object);
  });
  runtime.onChange((uid) => workers.get(uid)?.trigger());
  const crash = (): void => {
    runtime.onChange(undefined);
    death.abort();
    for (const worker of workers.values()) worker.crash();
    workers.clear();
  };
  void pods.run(death.signal);
  try {
    await pods.waitForSync(cancelled);
    await endForgotten(parts, (uid) => workers.has(uid));
  } catch (error) {
    crash();
    throw error;
  }
  return { crash };
}

/** Containers of pods that were deleted while no kubelet ran. */
async function endForgotten({ runtime }: NodeParts, isKnown: (uid: string) => boolean): Promise<void> {
  for (const uid of runtime.pods()) {
    if (isKnown(uid)) continue;
    await Promise.all(runtime.instances(uid).map(({ id }) => runtime.stop(id, 0)));
    runtime.removePod(uid);
  }
}
