// SPDX-License-Identifier: Apache-2.0
import { RESOURCES, type Api, type KubeObject } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { applicationPod, createSidecarSet, isInjected, strayPod, type Namespaces } from "./objects.ts";

/** Milliseconds of each create. */
export interface Latencies {
  readonly injected: number[];
  readonly excluded: number[];
  /** The pod as the webhook makes it, not sent to the webhook: what the API server needs for the larger pod anyway. */
  readonly writtenOut: number[];
}

const WARM_UP = 30;

/**
 * Creates of the same pod in turn, one after the other, with a hot injection and in a namespace that is not sent to the
 * webhook. `dryRun`: everything but the last step into the store.
 */
export async function webhookLatency(
  api: Api,
  namespaces: Namespaces,
  name: string,
  rounds: number,
): Promise<Latencies> {
  await using sets = new AsyncDisposableStack();
  sets.use(await createSidecarSet(api, name, namespaces.injected));
  const create = async (pod: Pod, injected: boolean): Promise<number> => {
    const start = performance.now();
    const answer = await api.create<Pod & KubeObject>(RESOURCES.pods, pod, { dryRun: true });
    const ms = performance.now() - start;
    if (isInjected(answer) !== injected) throw new Error(`a pod is ${injected ? "not " : ""}injected`);
    return ms;
  };
  const latencies: Latencies = { injected: [], excluded: [], writtenOut: [] };
  const kinds = [
    { to: latencies.injected, pod: applicationPod(name, namespaces.injected, "one"), injected: true },
    { to: latencies.excluded, pod: applicationPod(name, namespaces.excluded, "one"), injected: false },
    { to: latencies.writtenOut, pod: await strayPod(api, name, namespaces, "one"), injected: true },
  ];
  for (let round = -WARM_UP; round < rounds; round += 1) {
    // None is always the first of its round.
    for (const kind of kinds) {
      const ms = await create(kind.pod, kind.injected);
      if (round >= 0) kind.to.push(ms);
    }
    kinds.push(...kinds.splice(0, 1));
  }
  return latencies;
}
