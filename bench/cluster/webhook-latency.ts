// SPDX-License-Identifier: Apache-2.0
import { RESOURCES, type Api, type KubeObject } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { startLeastWebhook } from "./least-webhook.ts";
import { applicationPod, createSidecarSet, isInjected, strayPod, type Namespaces } from "./objects.ts";

/** Milliseconds of each create. */
export interface Latencies {
  readonly token: boolean;
  readonly excluded: number[];
  /** The pod as the webhook makes it, not sent to any: what the API server needs for the larger pod anyway. */
  readonly writtenOut: number[];
  /** Sent to a webhook that does nothing. */
  readonly asked: number[];
  /** Sent to one that has the injection ready: the floor. */
  readonly readyMade: number[];
  readonly injected: number[];
}

const WARM_UP = 30;

/**
 * Creates of the same pod in turn, one after the other, with a hot injection and in namespaces that are not sent to the
 * application's webhook. `dryRun`: everything but the last step into the store.
 *
 * @param token whether the API server mounts the token of the service account
 * @param host the address of this machine as the API server sees it
 */
export async function webhookLatency(
  api: Api,
  namespaces: Namespaces,
  { name, rounds, token, host }: { name: string; rounds: number; token: boolean; host: string },
): Promise<Latencies> {
  await using stack = new AsyncDisposableStack();
  stack.use(await createSidecarSet(api, name, namespaces.injected, "startup"));
  const pod = (namespace: string): Pod => applicationPod(name, namespace, "one", token);
  const least = stack.use(
    await startLeastWebhook(api, namespaces, host, applicationPod(name, namespaces.injected, "one")),
  );
  const create = async (body: Pod, injected: boolean): Promise<number> => {
    const start = performance.now();
    const answer = await api.create<Pod & KubeObject>(RESOURCES.pods, body, { dryRun: true });
    const ms = performance.now() - start;
    if (isInjected(answer) !== injected) throw new Error(`a pod is ${injected ? "not " : ""}injected`);
    return ms;
  };
  const latencies: Latencies = { token, excluded: [], writtenOut: [], asked: [], readyMade: [], injected: [] };
  const kinds = [
    { to: latencies.excluded, pod: pod(namespaces.excluded), injected: false },
    { to: latencies.writtenOut, pod: await strayPod(api, name, namespaces, "one", token), injected: true },
    { to: latencies.asked, pod: pod(namespaces.asked), injected: false },
    { to: latencies.readyMade, pod: pod(namespaces.readyMade), injected: true },
    { to: latencies.injected, pod: pod(namespaces.injected), injected: true },
  ];
  const before = least.answered();
  for (let round = -WARM_UP; round < rounds; round += 1) {
    // None is always the first of its round.
    for (const kind of kinds) {
      const ms = await create(kind.pod, kind.injected);
      if (round >= 0) kind.to.push(ms);
    }
    kinds.push(...kinds.splice(0, 1));
  }
  const expected = (WARM_UP + rounds) * 2;
  const answered = least.answered() - before;
  if (answered !== expected) throw new Error(`the API server asked ${answered} times, not ${expected}`);
  return latencies;
}
