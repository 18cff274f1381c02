// SPDX-License-Identifier: Apache-2.0
import { abortable, runAll, sleep, systemClock, type Runnable } from "@hot/kube";
import { startAdmission } from "./admission-role.ts";
import type { Config } from "./config.ts";
import { startControllerRole } from "./controller-role.ts";
import { startHealthServer } from "./health.ts";
import { createShared, type Dependencies } from "./shared.ts";

/** Why traffic may not come yet: each has to return true. */
type Readiness = Record<string, () => boolean>;

/**
 * The whole program: starts everything that the role asks for, says "ready" when traffic may come, and stops in order
 * when the signal is aborted. Resolves when all is stopped; rejects with what made a start impossible or ended a part.
 */
export async function runWebhook(config: Config, signal: AbortSignal, dependencies: Dependencies): Promise<void> {
  const { log } = dependencies;
  await using stack = new AsyncDisposableStack();
  const shared = createShared(config, dependencies, stack);
  const { sidecarSets, namespaces, revisions, metrics } = shared;
  const ready: Readiness = {
    shutdown: () => !signal.aborted,
    sidecarsets: () => sidecarSets.synced(),
    namespaces: () => namespaces.synced(),
    revisions: () => revisions.synced(),
  };
  const parts: Runnable[] = [
    { name: "the cache of SidecarSets", run: (stop) => sidecarSets.run(stop) },
    { name: "the cache of Namespaces", run: (stop) => namespaces.run(stop) },
    { name: "the cache of ControllerRevisions", run: (stop) => revisions.run(stop) },
  ];
  let retire = (): void => undefined;
  if (config.role !== "controller") {
    const starting = startAdmission(config, shared, dependencies);
    // Not awaited: a start that was given up ends when the connection to the API server is closed.
    stack.defer(() => void starting.then((late) => late.server.stop()).catch(() => undefined));
    const { registration, server } = await abortable(starting, signal);
    stack.defer(() => server.stop());
    retire = () => server.retire();
    ready["registration"] = () => registration.registered();
    parts.push({ name: "the registration", run: (stopping) => registration.run(stopping) });
  }
  const controller = config.role === "webhook" ? undefined : startControllerRole(config, shared, dependencies);
  if (controller !== undefined) {
    // A replica that is not the leader is ready too: it answers admission, and can take over at once.
    ready["pods"] = () => shared.pods.synced();
    parts.push(...controller.parts);
  }
  const health = await startHealthServer({ host: config.host, port: config.healthPort, ready, metrics });
  stack.defer(() => health.stop());
  log.info("probes", { host: config.host, port: health.port });

  const stopping = new AbortController();
  const running = runAll(parts, stopping.signal);
  const asked = untilReady(ready, signal).then(async () => {
    if (!signal.aborted) log.info("ready", { role: config.role, healthPort: health.port });
    await aborted(signal);
  });
  await Promise.race([asked, running]);
  log.info("stopping");
  retire();
  // Before the wait below: another replica goes on at once.
  await controller?.stop();
  // The Service still sends requests here for a moment, and under Ignore each refused one is a pod without sidecars.
  if (config.role !== "controller" && config.url === undefined) await sleep(systemClock, LAME_DUCK_MS, stopping.signal);
  stopping.abort();
  await running;
}

const READY_CHECK_MS = 20;
const LAME_DUCK_MS = 2000;

async function untilReady(ready: Readonly<Readiness>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !Object.values(ready).every((one) => one())) {
    await sleep(systemClock, READY_CHECK_MS, signal);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
