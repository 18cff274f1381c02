// SPDX-License-Identifier: Apache-2.0
import { sleep, type Api, type Clock } from "@hot/kube";
import { reasonCode } from "@hot/spec";
import { nextCertificates, type Certificates } from "./certs/serving.ts";
import type { FailurePolicy } from "./config.ts";
import type { Log } from "./log.ts";
import { register } from "./register.ts";

const CHECK_MS = 10 * 60 * 1000;
const RETRY_MS = { first: 500, most: 30_000 };

export interface RegistrationOptions {
  api: Pick<Api, "get" | "create" | "update" | "patch">;
  url?: string;
  namespace: string;
  failurePolicy: FailurePolicy;
  certificates: Certificates;
  /** Called after the API server has been told to trust the authority of these certificates. */
  serve: (certificates: Certificates) => void;
  clock: Clock;
  log: Log;
}

export interface Registration {
  /** Whether the API server has been told where this program is; stays true. */
  registered(): boolean;
  /** Registers, then looks every ten minutes after certificates and configurations; ends with the signal. */
  run(signal: AbortSignal): Promise<void>;
}

/** Keeps the webhook configurations and the certificates right. No failure ends it; each is logged once until it changes. */
export function createRegistration(options: RegistrationOptions): Registration {
  const { api, namespace, failurePolicy, serve, clock, log } = options;
  const url = options.url === undefined ? {} : { url: options.url };
  let certificates = options.certificates;
  let registered = false;

  const maintain = async (signal: AbortSignal): Promise<void> => {
    const next = await nextCertificates({ api, namespace, ...url, now: new Date(clock.now()) }, certificates);
    const endpoint = { namespace, ...url, caBundle: next.caBundle };
    // Trust first: a certificate whose authority is not known yet would break every call.
    const written = await register({ api, endpoint, failurePolicy, signal });
    if (written.length > 0) log.info("registered", { written });
    registered = true;
    if (next.serving !== certificates.serving) {
      serve(next);
      log.info("certificate renewed", { notAfter: next.notAfter.toISOString() });
    }
    certificates = next;
  };

  return {
    registered: () => registered,
    run: async (signal) => {
      let wait = RETRY_MS.first;
      let said = "";
      while (!signal.aborted) {
        try {
          await maintain(signal);
          said = "";
          wait = RETRY_MS.first;
          await sleep(clock, CHECK_MS, signal);
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
