// SPDX-License-Identifier: Apache-2.0
// The application as one process with both roles: admission answers over HTTPS while the controller reads all pods.
import { createController, projectPod, type PodProjection } from "../../../packages/controller/src/index.ts";
import { createAuthority, issueCertificate } from "@hot/kube/certificates";
import { connect, createReflector, RESOURCES, type KubeObject } from "@hot/kube";
import type { ControllerRevision, Pod, SidecarSet } from "@hot/spec";
import { SIDECAR_SETS } from "../../../apps/demo/src/fleet.ts";
import { createInjectionEvents } from "../../../apps/webhook/src/events.ts";
import { createLog } from "../../../apps/webhook/src/log.ts";
import { createMetrics } from "../../../apps/webhook/src/metrics.ts";
import { createRoutes } from "../../../apps/webhook/src/routes.ts";
import { startAdmissionServer } from "../../../apps/webhook/src/server.ts";
import { answering } from "../child.ts";

export interface Address {
  readonly port: number;
  /** Whom to trust, PEM. */
  readonly authority: string;
}

const [kubeconfig = ""] = process.argv.slice(2);
const host = "127.0.0.1";
const api = connect({ kubeconfig, userAgent: "hot-bench-admission" });
const { signal } = new AbortController();
const log = createLog("error", (line) => process.stderr.write(line));
const sidecarSets = createReflector<SidecarSet & KubeObject>({ api, resource: SIDECAR_SETS });
const namespaces = createReflector({ api, resource: RESOURCES.namespaces });
const revisions = createReflector<ControllerRevision & KubeObject>({ api, resource: RESOURCES.controllerRevisions });
for (const one of [sidecarSets, namespaces, revisions]) void one.run(signal);
await Promise.all([sidecarSets, namespaces, revisions].map((one) => one.waitForSync(signal)));
const authority = await createAuthority({ commonName: "bench", days: 1 });
const wish = { commonName: "bench", dnsNames: [], ipAddresses: [host], days: 1, usage: "server" } as const;
const events = createInjectionEvents({ recorder: { event: () => undefined }, now: Date.now });
const metrics = createMetrics();
const server = await startAdmissionServer({
  host,
  port: 0,
  certificate: await issueCertificate(authority, wish),
  log,
  routes: createRoutes({
    api,
    namespace: "hot-system",
    sidecarSets,
    namespaces,
    revisions,
    failurePolicy: "Ignore",
    events,
    metrics,
    log,
  }),
});

/** As after a watch that was lost: everything is listed anew, and every SidecarSet is planned for. */
async function resync(): Promise<number> {
  const stop = new AbortController();
  const allPlanned = Promise.withResolvers<void>();
  let planned = 0;
  const onMetric = (name: string): void => {
    if (name === "hot_reconcile_duration_seconds" && ++planned === sidecarSets.store.size) allPlanned.resolve();
  };
  const pods = createReflector<Pod & KubeObject, PodProjection>({ api, resource: RESOURCES.pods, project: projectPod });
  const controller = createController({ api, sidecarSets, namespaces, pods, onMetric });
  const running = [pods, controller].map((one) => one.run(stop.signal));
  await pods.waitForSync(stop.signal);
  await allPlanned.promise;
  const count = pods.store.size;
  stop.abort();
  await Promise.all(running);
  return count;
}

answering({ address: (): Address => ({ port: server.port, authority: authority.certPem }), resync });
