// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";
import { createReflector, RESOURCES, type Api, type Reflector, type Resource } from "@hot/kube";
import { GROUP, PLURAL, type Pod, type SidecarSet } from "@hot/spec";

export const SIDECAR_SETS: Resource = { group: GROUP, version: "v1beta1", plural: PLURAL, namespaced: false };

const TICK_MS = 250;

/** What the demo watches: its pods and its SidecarSet. */
export interface Fleet {
  pods(): Pod[];
  sidecarSet(): SidecarSet | undefined;
  /** Resolves as soon as `done()` holds; rejects with `what` when it does not within `seconds`. */
  until(what: string, seconds: number, done: () => boolean): Promise<void>;
}

/** Watches until `signal` aborts. */
export function watchFleet(api: Api, labelSelector: string, name: string, signal: AbortSignal): Fleet {
  const pods: Reflector<Pod> = createReflector<Pod>({ api, resource: RESOURCES.pods, labelSelector });
  const sets = createReflector<SidecarSet>({ api, resource: SIDECAR_SETS, fieldSelector: `metadata.name=${name}` });
  for (const reflector of [pods, sets]) void reflector.run(signal);
  return {
    pods: () => pods.store.list().toSorted((a, b) => (a.metadata.name ?? "").localeCompare(b.metadata.name ?? "")),
    sidecarSet: () => sets.store.get(name),
    until: async (what, seconds, done) => {
      const ended = new AbortController();
      const changed = Promise.withResolvers<void>();
      const check = (): void => {
        try {
          if (done()) changed.resolve();
        } catch (error) {
          changed.reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      using subscriptions = new DisposableStack();
      subscriptions.use(pods.subscribe(check));
      subscriptions.use(sets.subscribe(check));
      const tick = setInterval(check, TICK_MS); // `done` may look at more than the cluster, such as the traffic
      subscriptions.defer(() => clearInterval(tick));
      check();
      const late = sleep(seconds * 1000, undefined, { signal: AbortSignal.any([signal, ended.signal]) }).then(() => {
        throw new Error(`${what}: not within ${seconds} s`);
      });
      try {
        await Promise.race([changed.promise, late]);
      } finally {
        ended.abort();
        late.catch(() => undefined);
      }
    },
  };
}
