// SPDX-License-Identifier: Apache-2.0
import {
  connect as connectApi,
  createReflector,
  RESOURCES,
  sleep,
  systemClock,
  type Api,
  type KubeObject,
  type Reflector,
  type Resource,
} from "@hot/kube";
import { GROUP, PLURAL, type SidecarSet } from "@hot/spec";
import { nextCertificates, type Certificates } from "./certs/serving.ts";
import type { Config } from "./config.ts";
import { createInjectionEvents } from "./events.ts";
import { startHealthServer } from "./health.ts";
import type { Log } from "./log.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { createRegistration, type Registration } from "./registration.ts";
import { createRoutes } from "./routes.ts";
import { startAdmissionServer } from "./server.ts";

const SIDECAR_SETS: Resource = { group: GROUP, version: "v1beta1", plural: PLURAL, namespaced: false };

/** What a test may replace. */
export interface Dependencies {
  log: Log;
  connect?: typeof connectApi;
  /** Name of this replica, for events. */
  instance: string;
}

interface Shared {
  api: Api;
  metrics: Metrics;
  sidecarSets: Reflector<SidecarSet>;
  namespaces: Reflector<KubeObject>;
}

/**
 * The whole program: starts everything that the role asks for, says "ready" when traffic may come, and stops in reverse
 * order when the signal is aborted. Resolves when all is stopped; rejects with what made a start impossible.
 */
export async function runWebhook(config: Config, signal: AbortSignal, dependencies: Dependencies): Promise<void> {
  const { log, connect = connectApi } = dependencies;
  const metrics = createMetrics();
  await using stack = new AsyncDisposableStack();
  const stopping = new AbortController();
  const api = connect({
    userAgent: "hot-webhook",
    ...(config.kubeconfig !== undefined && { kubeconfig: config.kubeconfig }),
    onAnswer: ({ verb, code }) => metrics.apiRequest({ verb, code: String(code) }),
  });
  stack.use(api);
  const reflect = <T extends KubeObject>(resource: Resource): Reflector<T> =>
    createReflector<T>({
      api,
      resource,
      onError: (error, cause) => log.warn("watch failed", { err: error, resource: resource.plural, cause }),
    });
  const sidecarSets = reflect<SidecarSet & KubeObject>(SIDECAR_SETS);
  const namespaces = reflect<KubeObject>(RESOURCES.namespaces);
  const shared: Shared = { api, metrics, sidecarSets, namespaces };

  const ready: Record<string, () => boolean> = {
    shutdown: () => !signal.aborted,
    sidecarsets: () => sidecarSets.synced(),
    namespaces: () => namespaces.synced(),
  };
  const running: Promise<void>[] = [sidecarSets.run(stopping.signal), namespaces.run(stopping.signal)];
  stack.defer(async () => {
    stopping.abort();
    await Promise.all(running);
  });
  if (config.role !== "controller") {
    const webhook = await startAdmission(config, shared, dependencies);
    stack.defer(webhook.stop);
    ready["registration"] = () => webhook.registration.registered();
    running.push(webhook.registration.run(stopping.signal));
  }
  const health = await startHealthServer({ host: config.host, port: config.healthPort, ready, metrics });
  stack.defer(() => health.stop());
  log.info("probes", { host: config.host, port: health.port });

  await untilReady(ready, signal);
  if (!signal.aborted) log.info("ready", { role: config.role, healthPort: health.port });
  await aborted(signal);
  log.info("stopping");
  // The Service still sends requests here for a moment, and under Ignore each refused one is a pod without sidecars.
  if (config.role !== "controller" && config.url === undefined) await sleep(systemClock, LAME_DUCK_MS, stopping.signal);
}

async function startAdmission(
  config: Config,
  { api, metrics, sidecarSets, namespaces }: Shared,
  { log, instance }: Dependencies,
): Promise<{ registration: Registration; stop: () => Promise<void> }> {
  const { namespace, failurePolicy, host, port } = config;
  const url = config.url === undefined ? {} : { url: config.url };
  const certificates = await nextCertificates({ api, namespace, ...url, now: new Date() }, undefined);
  metrics.certificateExpiry(certificates.notAfter);
  const events = createInjectionEvents({ api, now: Date.now, instance, log });
  const routes = createRoutes({ api, sidecarSets, namespaces, failurePolicy, events, metrics, log });
  const server = await startAdmissionServer({ host, port, certificate: certificates.serving, routes, log });
  log.info("listening", { host, port: server.port });
  const serve = (next: Certificates): void => {
    server.rotate(next.serving);
    metrics.certificateExpiry(next.notAfter);
  };
  const registration = createRegistration({
    api,
    namespace,
    ...url,
    failurePolicy,
    certificates,
    serve,
    clock: systemClock,
    log,
  });
  return { registration, stop: () => server.stop() };
}

const READY_CHECK_MS = 20;
const LAME_DUCK_MS = 2000;

async function untilReady(ready: Readonly<Record<string, () => boolean>>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !Object.values(ready).every((one) => one())) {
    await new Promise((resolve) => setTimeout(resolve, READY_CHECK_MS));
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
