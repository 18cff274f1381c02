// SPDX-License-Identifier: Apache-2.0
import { RESOURCES, type Api, type KubeObject } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { applicationPod, createSidecarSet, isInjected, type Namespaces } from "./objects.ts";

/** Milliseconds of each create. */
export interface Latencies {
  readonly injected: number[];
  readonly excluded: number[];
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
  pairs: number,
): Promise<Latencies> {
  await using sets = new AsyncDisposableStack();
  sets.use(await createSidecarSet(api, name, namespaces.injected));
  const create = async (namespace: string, wanted: boolean): Promise<number> => {
    const pod = applicationPod(name, namespace, "one");
    const start = performance.now();
    const answer = await api.create<Pod & KubeObject>(RESOURCES.pods, pod, { dryRun: true });
    const ms = performance.now() - start;
    if (isInjected(answer) !== wanted) throw new Error(`a pod in ${namespace} is ${wanted ? "not " : ""}injected`);
    return ms;
  };
  const latencies: Latencies = { injected: [], excluded: [] };
  for (let pair = -WARM_UP; pair < pairs; pair += 1) {
    const [injected, excluded] = [() => create(namespaces.injected, true), () => create(namespaces.excluded, false)];
    // Neither is always the first of its pair.
    const first = pair % 2 === 0 ? await injected() : await excluded();
    const second = pair % 2 === 0 ? await excluded() : await injected();
    if (pair < 0) continue;
    latencies.injected.push(pair % 2 === 0 ? first : second);
    latencies.excluded.push(pair % 2 === 0 ? second : first);
  }
  return latencies;
}
