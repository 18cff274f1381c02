// SPDX-License-Identifier: Apache-2.0
import { type Api, type Change, createReflector, type Resource, RESOURCES } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { isDeepStrictEqual } from "node:util";
import type { Log } from "../api/log.ts";
import { type Deployment, isActive, planDeployment, podOf } from "./deployment.ts";
import { statusOf } from "./deployment-status.ts";
import { schedule, type Watched } from "./scheduler.ts";

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
  const follow = (
    resource: Resource,
    fieldSelector: string | undefined,
    changed: (change: Change<Watched>) => void,
  ): Promise<void> => {
    const reflector = createReflector<Watched>({
      api,
      resource,
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      project: ({ metadata, spec }) => ({ metadata, spec }),
      onError: (error) => log(`watch of ${resource.plural}: ${String(error)}`),
    });
    reflector.subscribe(changed);
    return reflector.run(signal);
  };
  const loops = [
    follow(RESOURCES.deployments, undefined, ({ object: { metadata } }) => enqueue(metadata.namespace, metadata.name)),
    follow(RESOURCES.pods, undefined, ({ object: { metadata } }) => {
      const owner = metadata.ownerReferences?.find(({ kind, controller }) => controller && kind === "Deployment");
      if (owner) enqueue(metadata.namespace, owner.name);
    }),
    follow(RESOURCES.pods, "spec.nodeName=", ({ type, object }) => {
      if (type === "deleted") return;
      schedule(api, object, nodeName).catch((error: unknown) =>
        log(`pod ${object.metadata.name} could not be scheduled: ${String(error)}`),
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
  const { items } = await api.list<Deployment>(RESOURCES.deployments, {
    namespace,
    fieldSelector: `metadata.name=${name}`,
  });
  const [deployment] = items;
  if (!deployment || deployment.metadata.deletionTimestamp) return false;
  const own = await ownPods(api, namespace, deployment);
  const plan = planDeployment(deployment, own, new Date());
  const createError = await createPods(api, namespace, deployment, plan.create);
  for (const { metadata } of plan.remove) {
    await api.delete(RESOURCES.pods, metadata.name ?? "", {
      namespace,
      preconditions: metadata.uid === undefined ? {} : { uid: metadata.uid },
    });
  }
  const pods = plan.create + plan.remove.length > 0 ? await ownPods(api, namespace, deployment) : own;
  const status = statusOf(deployment, pods, new Date(), createError);
  if (!isDeepStrictEqual(status, deployment.status)) {
    await api.patch(
      RESOURCES.deployments,
      name,
      { type: "merge", body: { status } },
      { namespace, subresource: "status" },
    );
  }
  return createError !== undefined || ((deployment.spec.minReadySeconds ?? 0) > 0 && pods.some(isActive));
}

async function ownPods(api: Api, namespace: string, { metadata }: Deployment): Promise<Pod[]> {
  const { items } = await api.list<Pod>(RESOURCES.pods, { namespace });
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
    for (let created = 0; created < count; created++)
      await api.create(RESOURCES.pods, podOf(deployment), { namespace });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return undefined;
}
