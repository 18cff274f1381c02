// SPDX-License-Identifier: Apache-2.0
import { systemClock } from "@hot/kube";
import { certificatesFrom } from "./certs/certificate-files.ts";
import { nextCertificates, type Certificates } from "./certs/serving.ts";
import type { Config } from "./config.ts";
import { createInjectionEvents } from "./events.ts";
import { createRegistration, type Registration } from "./registration.ts";
import { createRoutes } from "./routes.ts";
import type { Dependencies, Shared } from "./shared.ts";
import { startAdmissionServer } from "./server.ts";
import type { Stoppable } from "./stoppable.ts";

/** Gets a certificate, serves the webhooks and prepares their registration, which the caller runs. */
export async function startAdmission(
  config: Config,
  shared: Shared,
  { installation }: Pick<Dependencies, "installation">,
): Promise<{ registration: Registration; server: Stoppable }> {
  const { api, metrics, sidecarSets, namespaces, revisions, log } = shared;
  const { namespace, failurePolicy, host, port } = config;
  const where = { api, namespace, ...(config.url !== undefined && { url: config.url }) };
  const next = (present?: Certificates): Promise<Certificates> =>
    config.certDir === undefined
      ? nextCertificates({ ...where, lifetimes: config.lifetimes, now: new Date() }, present)
      : certificatesFrom(config.certDir, present);
  const certificates = await next();
  metrics.certificateExpiry(certificates.notAfter);
  const events = createInjectionEvents({ recorder: shared.events, now: Date.now });
  const routes = createRoutes({
    api,
    namespace,
    sidecarSets,
    namespaces,
    revisions,
    failurePolicy,
    events,
    metrics,
    log,
  });
  const server = await startAdmissionServer({ host, port, certificate: certificates.serving, routes, log });
  log.info("listening", { host, port: server.port });
  const registration = createRegistration({
    ...where,
    installation,
    leafMs: config.lifetimes.leafMs,
    failurePolicy,
    sidecarSets,
    certificates,
    next,
    serve: ({ serving, notAfter }) => {
      server.rotate(serving);
      metrics.certificateExpiry(notAfter);
    },
    clock: systemClock,
    log,
  });
  return { registration, server };
}
