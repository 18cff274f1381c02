// SPDX-License-Identifier: Apache-2.0
import { RESOURCES, type Api, type KubeObject } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { applicationPod, createSidecarSet, isInjected, strayPod, type Namespaces } from "./objects.ts";

/** Milliseconds of each create. */
export interface Latencies {
  readonly token: boolean;
  readonly injected: number[];
  readonly excluded: number[];
  /** The pod as the webhook makes it, not sent to the webhook: what the API server needs for the larger pod anyway. */
  readonly writtenOut: number[];
}

const WARM_UP = 30;

/**
 * Creates of the same pod in turn, one after the other, with a hot injection and in a namespace that is not sent to the
 * webhook. `dryRun`: everything but the last step into the store.
 * Of a pod with the `token` of its service account the API server asks the webhook twice (`IfNeeded`): it mounts the
 * token into the injected containers itself, which is a change after the injection.
 */
export async function webhookLatency(
  api: Api,
  namespaces: Namespaces,
  name: string,
  rounds: number,
  token: boolean,
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
  const latencies: Latencies = { token, injected: [], excluded: [], writtenOut: [] };
  const kinds = [
    { to: latencies.injected, pod: applicationPod(name, namespaces.injected, "one", token), injected: true },
    { to: latencies.excluded, pod: applicationPod(name, namespaces.excluded, "one", token), injected: false },
    { to: latencies.writtenOut, pod: await strayPod(api, name, namespaces, "one", token), injected: true },
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
