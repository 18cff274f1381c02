// SPDX-License-Identifier: Apache-2.0
import { projectPod, type PodProjection } from "@hot/controller";
import {
  connect,
  createEventRecorder,
  createReflector,
  RESOURCES,
  systemClock,
  type Api,
  type EventRecorder,
  type KubeObject,
  type Reflector,
  type ReflectorOptions,
  type Resource,
} from "@hot/kube";
import { GROUP, PLURAL, REVISION_OWNER_LABEL, type ControllerRevision, type Pod, type SidecarSet } from "@hot/spec";
import type { Config } from "./config.ts";
import type { Log } from "./log.ts";
import { createMetrics, type Metrics } from "./metrics.ts";

const SIDECAR_SETS: Resource = { group: GROUP, version: "v1beta1", plural: PLURAL, namespaced: false };

type ReflectorSelection<T extends KubeObject, P> = Pick<
  ReflectorOptions<T, P>,
  "namespace" | "labelSelector" | "project"
>;

export interface Dependencies {
  log: Log;
  /** Name of this replica, for events. */
  instance: string;
  /** Unique for each process, also for two after each other in one pod. */
  identity: string;
  /** What tells this installation from an earlier one of the same name; empty outside of a cluster. */
  installation: string;
}

/** What admission and controller have in common; the reflectors are run by the caller. */
export interface Shared {
  api: Api;
  log: Log;
  metrics: Metrics;
  events: EventRecorder;
  sidecarSets: Reflector<SidecarSet>;
  namespaces: Reflector<KubeObject>;
  /** Those of SidecarSets, in this program's namespace. */
  revisions: Reflector<ControllerRevision>;
  /** All pods, reduced to what the controller reads. */
  pods: Reflector<PodProjection>;
}

/** Connects; the stack closes the connection after the last event is written. */
export function createShared(config: Config, { log, instance }: Dependencies, stack: AsyncDisposableStack): Shared {
  const metrics = createMetrics();
  const api = stack.use(
    connect({
      userAgent: "hot-webhook",
      ...(config.kubeconfig !== undefined && { kubeconfig: config.kubeconfig }),
      onAnswer: ({ verb, code }) => metrics.apiRequest({ verb, code: String(code) }),
    }),
  );
  const events = createEventRecorder({
    api,
    component: "hot.internal/webhook",
    instance,
    clock: systemClock,
    onError: (error) => log.warn("event not written", { err: error }),
  });
  stack.defer(() => events.flush());
  const reflect = <T extends KubeObject, P = T>(
    resource: Resource,
    selection?: ReflectorSelection<T, P>,
  ): Reflector<P> => {
    const reflector = createReflector<T, P>({
      api,
      resource,
      ...selection,
      onError: (error, cause) => log.warn("watch failed", { err: error, resource: resource.plural, cause }),
    });
    metrics.watch(resource.plural, () => reflector.health());
    return reflector;
  };
  return {
    api,
    log,
    metrics,
    events,
    sidecarSets: reflect<SidecarSet & KubeObject>(SIDECAR_SETS),
    namespaces: reflect(RESOURCES.namespaces),
    revisions: reflect<ControllerRevision & KubeObject>(RESOURCES.controllerRevisions, {
      namespace: config.namespace,
      labelSelector: REVISION_OWNER_LABEL,
    }),
    pods: reflect<Pod & KubeObject, PodProjection>(RESOURCES.pods, { project: projectPod }),
  };
}
