// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from "node:crypto";
import { abortable, sleep, type Api, type Clock, type Reflector } from "@hot/kube";
import { SKEW_MS } from "@hot/kube/certificates";
import { reasonCode } from "@hot/spec";
import { LIFETIMES } from "./certs/lifetimes.ts";
import type { Certificates } from "./certs/serving.ts";
import type { FailurePolicy } from "./config.ts";
import { isUninstalled } from "./installation.ts";
import type { Log } from "./log.ts";
import { register } from "./register.ts";
import { unregister } from "./uninstall.ts";
import { CONVERSION_SERVICE, NAME } from "./webhook-configuration.ts";

const CHECK_MS = 10 * 60 * 1000;
/** How long every API server may need to hear of a new authority. */
const SETTLE_MS = 10_000;
/** How long a start waits for the SidecarSets before it takes them for ones that nobody converts. */
const SYNC_MS = 3_000;
const RETRY_MS = { first: 500, most: 30_000 };

export interface RegistrationOptions {
  api: Pick<Api, "get" | "create" | "update" | "patch" | "delete">;
  url?: string;
  namespace: string;
  /** See `installationOf`. */
  installation: string;
  /** Lifetime of a serving certificate: how often to look. Default: 7 days. */
  leafMs?: number;
  failurePolicy: FailurePolicy;
  /** Not synced: this replica is not ready. */
  sidecarSets: Pick<Reflector<unknown>, "synced" | "waitForSync">;
  /** What is served now. */
  certificates: Certificates;
  /** The certificates for now; the same as the present ones where they are still good. */
  next: (present: Certificates) => Promise<Certificates>;
  /** Called after the API server has been told to trust the authority of these certificates. */
  serve: (certificates: Certificates) => void;
  clock: Clock;
  log: Log;
}

/** Whether this authority took another's place after `time`: another replica may have made it, and not all have heard. */
function isSuccessor({ authority: { certPem, previousCertPem } }: Certificates, time: number): boolean {
  return previousCertPem !== undefined && new X509Certificate(certPem).validFromDate.getTime() + SKEW_MS > time;
}

export interface Registration {
  /** Whether the API server has been told where this program is; stays true. */
  registered(): boolean;
  /** Registers, then looks every ten minutes (more often with short lifetimes) after certificates and configurations; ends with the signal. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Keeps the webhook configurations and the certificates right. No failure ends it; each is logged once until it changes.
 *
 * Conversion goes to ready replicas. But where SidecarSets are stored as v1alpha1 and none is ready, none can become so:
 * to list them takes a conversion. So a replica that gets no list has replicas asked that are not ready; one that has the
 * list puts that right when it looks next.
 */
export function createRegistration(options: RegistrationOptions): Registration {
  const { api, namespace, failurePolicy, sidecarSets, next, serve, clock, log, leafMs = LIFETIMES.leafMs } = options;
  const url = options.url === undefined ? {} : { url: options.url };
  let certificates = options.certificates;
  let registered = false;
  let uninstalled = false;
  let pruning = false;
  const installation = { api, namespace, installation: options.installation };
  const checkMs = Math.min(CHECK_MS, leafMs / 20);
  const settleMs = Math.min(SETTLE_MS, leafMs / 12);

  /** Makes the API server trust the authority of the Secret; true if it may not everywhere have heard of it yet. */
  const trust = async (wanted: Certificates, signal: AbortSignal): Promise<boolean> => {
    const conversionService = sidecarSets.synced() ? NAME : CONVERSION_SERVICE;
    const endpoint = { namespace, ...url, conversionService, caBundle: wanted.caBundle };
    const { created, changed, isNewTrust, isPruning } = await register({ api, endpoint, failurePolicy, signal });
    if (isPruning && !pruning) log.warn("SidecarSets lose a field", reasonCode("CrdOutdated"));
    pruning = isPruning;
    if (created.length > 0 || changed.length > 0) log.info("registered", { written: [...created, ...changed] });
    // Deleted between our look and our writing: whoever uninstalls has looked already.
    if (created.length > 0 && (await isUninstalled(installation))) await unregister(api);
    return isNewTrust;
  };

  const maintain = async (signal: AbortSignal): Promise<void> => {
    // A silent API server takes longer than a pod may take to end.
    const look = <T>(answer: Promise<T>): Promise<T> => abortable(answer, signal);
    if (await look(isUninstalled(installation))) {
      if (!uninstalled) log.info("this installation is being taken away: nothing is registered any more");
      uninstalled = true;
      return;
    }
    let wanted = await look(next(certificates));
    let isFresh = await trust(wanted, signal);
    // Another replica may have made a new authority after we had read the Secret; what we wrote does not know it.
    for (let again = await look(next(wanted)); again.caBundle !== wanted.caBundle; again = await look(next(wanted))) {
      wanted = again;
      isFresh = (await trust(wanted, signal)) || isFresh;
    }
    const isOther = wanted.authority.certPem !== certificates.authority.certPem;
    // Trust first: a certificate whose authority is not known everywhere yet would break calls.
    if (isOther || (!registered && (isFresh || isSuccessor(wanted, clock.now() - 2 * settleMs))))
      await sleep(clock, settleMs, signal);
    if (signal.aborted) return;
    registered = true;
    if (wanted.serving !== certificates.serving) {
      serve(wanted);
      log.info("certificate renewed", { notAfter: wanted.notAfter.toISOString() });
    }
    certificates = wanted;
  };

  const firstList = async (signal: AbortSignal): Promise<void> => {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    await Promise.race([sidecarSets.waitForSync(either).catch(() => undefined), sleep(clock, SYNC_MS, either)]);
    over.abort();
  };

  return {
    registered: () => registered,
    run: async (signal) => {
      if (!sidecarSets.synced()) await firstList(signal);
      let wait = RETRY_MS.first;
      let said = "";
      while (!signal.aborted) {
        try {
          await maintain(signal);
          said = "";
          wait = RETRY_MS.first;
          await sleep(clock, checkMs, signal);
        } catch (error) {
          if (signal.aborted) return;
          const message = error instanceof Error ? error.message : String(error);
          const soon = certificates.notAfter.getTime() - clock.now() < 24 * 3600 * 1000;
          if (message !== said)
            log.error("not registered", { err: error, ...(soon && reasonCode("CertificateExpiring")) });
          said = message;
          await sleep(clock, wait, signal);
          wait = Math.min(wait * 2, RETRY_MS.most);
        }
      }
    },
  };
}
