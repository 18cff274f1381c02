// SPDX-License-Identifier: Apache-2.0
import { createController } from "@hot/controller";
import { createLeaderElector, fencedApi, type Runnable } from "@hot/kube";
import type { Config } from "./config.ts";
import type { Dependencies, Shared } from "./shared.ts";
import { isSentToWebhook } from "./webhook-configuration.ts";

/** Name of the Lease in this program's namespace. */
export const LEASE = "hot-controller";

export interface ControllerRole {
  /** To be run by the caller, after the caches of SidecarSets and Namespaces. */
  readonly parts: readonly Runnable[];
  /** Gives the lease back, so that another replica takes over at once; resolves when nothing more is written. */
  stop(): Promise<void>;
}

/**
 * The controller of this replica: its cache is always warm, it works only as the leader. Each term has a new controller,
 * as after a restart of the program, so nothing that was planned in an earlier term can be carried out in it.
 */
export function startControllerRole(
  config: Config,
  shared: Shared,
  { identity }: Pick<Dependencies, "identity">,
): ControllerRole {
  const { api, sidecarSets, namespaces, pods, revisions, log, events, metrics } = shared;
  const stopping = new AbortController();
  const elector = createLeaderElector({
    api,
    namespace: config.namespace,
    name: LEASE,
    identity,
    onError: (error) => log.warn("lease not renewed", { err: error }),
    onChange: (isLeader) => {
      metrics.leader(isLeader);
      log.info(isLeader ? "became the leader" : "is no longer the leader", { lease: `${config.namespace}/${LEASE}` });
    },
  });
  metrics.leader(false);
  let electing: Promise<void> | undefined;
  const elect = (): Promise<void> =>
    elector.run(stopping.signal, (leadership) => {
      const controller = createController({
        api: fencedApi(api, leadership),
        sidecarSets,
        namespaces,
        pods,
        history: { namespace: config.namespace, revisions },
        isInjectable: (pod, namespaceLabels) => isSentToWebhook(config.namespace, pod, namespaceLabels),
        log,
        events,
        onMetric: (name, labels, value) => metrics.controller(name, labels, value),
      });
      return controller.run(leadership.signal);
    });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await electing?.catch(() => undefined); // its failure is the part's
  };
  return {
    parts: [
      { name: "the cache of Pods", run: (signal) => pods.run(signal) },
      {
        name: "the controller",
        run: async (signal) => {
          signal.addEventListener("abort", () => stopping.abort());
          electing = elect();
          await electing;
          // Asked to stop before the others: it has not ended by itself.
          if (!signal.aborted && stopping.signal.aborted) await aborted(signal);
        },
      },
    ],
    stop,
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
