// SPDX-License-Identifier: Apache-2.0
import type { Api } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { isDeepStrictEqual } from "node:util";
import type { Log } from "../api/log.ts";
import { followChanges } from "./changes.ts";
import { type Deployment, isActive, planDeployment, podOf } from "./deployment.ts";
import { statusOf } from "./deployment-status.ts";
import { DEPLOYMENTS, PODS } from "./kinds.ts";
import { schedule } from "./scheduler.ts";

const AGAIN_MS = 1000;

export interface WorkloadOptions {
  api: Api;
  log?: Log;
  /** The one node that gets all pods; default `local`. */
  nodeName?: string;
}

/**
 * What a cluster's deployment controller and scheduler do, as far as a laptop needs it: Deployments own their pods (no
 * ReplicaSets in between), pods get the one node. `stop` resolves when the last write has been answered.
 */
export function startWorkloads({ api, log = () => {}, nodeName = "local" }: WorkloadOptions): {
  stop(): Promise<void>;
} {
  const stopping = new AbortController();
  const { signal } = stopping;
  const dirty = new Map<string, { namespace: string; name: string }>();
  const timers = new Set<NodeJS.Timeout>();
  let running: Promise<void> | undefined;

  const enqueue = (namespace = "", name = ""): void => {
    if (signal.aborted) return;
    dirty.set(`${namespace}/${name}`, { namespace, name });
    run();
  };
  const run = (): void => {
    running ??= drain().finally(() => {
      running = undefined;
      if (dirty.size > 0 && !signal.aborted) run();
    });
  };
  const later = (namespace: string, name: string): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      enqueue(namespace, name);
    }, AGAIN_MS);
    timers.add(timer);
  };
  async function drain(): Promise<void> {
    for (const [key, { namespace, name }] of dirty) {
      dirty.delete(key);
      if (signal.aborted) return;
      try {
        if (await reconcile(api, namespace, name)) later(namespace, name);
      } catch (error) {
        log(`deployment ${namespace}/${name} could not be reconciled: ${String(error)}`);
        later(namespace, name);
      }
    }
  }
  const loops = [
    followChanges(api, DEPLOYMENTS, { signal, log }, ({ metadata }) => enqueue(metadata.namespace, metadata.name)),
    followChanges(api, PODS, { signal, log }, ({ metadata }) => {
      const owner = metadata.ownerReferences?.find(({ kind, controller }) => controller && kind === "Deployment");
      if (owner) enqueue(metadata.namespace, owner.name);
    }),
    followChanges(api, PODS, { signal, log, fieldSelector: "spec.nodeName=" }, (pod, deleted) => {
      if (deleted) return;
      schedule(api, pod, nodeName).catch((error: unknown) =>
        log(`pod ${pod.metadata.name} could not be scheduled: ${String(error)}`),
      );
    }),
  ];
  return {
    async stop() {
      stopping.abort();
      for (const timer of timers) clearTimeout(timer);
      await Promise.all([...loops, running]);
    },
  };
}

/** One step for one Deployment from what the API says now; true when time alone may change the outcome. */
async function reconcile(api: Api, namespace: string, name: string): Promise<boolean> {
  const { items } = await api.list<Deployment>(DEPLOYMENTS, { namespace, fieldSelector: `metadata.name=${name}` });
  const [deployment] = items;
  if (!deployment || deployment.metadata.deletionTimestamp) return false;
  const own = await ownPods(api, namespace, deployment);
  const plan = planDeployment(deployment, own, new Date());
  const createError = await createPods(api, namespace, deployment, plan.create);
  for (const { metadata } of plan.remove) {
    await api.delete(PODS, metadata.name ?? "", {
      namespace,
      preconditions: metadata.uid === undefined ? {} : { uid: metadata.uid },
    });
  }
  const pods = plan.create + plan.remove.length > 0 ? await ownPods(api, namespace, deployment) : own;
  const status = statusOf(deployment, pods, new Date(), createError);
  if (!isDeepStrictEqual(status, deployment.status)) {
    await api.patch(DEPLOYMENTS, name, { type: "merge", body: { status } }, { namespace, subresource: "status" });
  }
  return createError !== undefined || ((deployment.spec.minReadySeconds ?? 0) > 0 && pods.some(isActive));
}

async function ownPods(api: Api, namespace: string, { metadata }: Deployment): Promise<Pod[]> {
  const { items } = await api.list<Pod>(PODS, { namespace });
  return items.filter((pod) =>
    pod.metadata.ownerReferences?.some(({ uid, controller }) => controller && uid === metadata.uid),
  );
}

/** Creates pods until one is refused, and returns why. */
async function createPods(
  api: Api,
  namespace: string,
  deployment: Deployment,
  count: number,
): Promise<string | undefined> {
  try {
    for (let created = 0; created < count; created++) await api.create(PODS, podOf(deployment), { namespace });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return undefined;
}
