// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { createAuthority, issueCertificate } from "@hot/kube/certificates";
import type { ServingCertificate } from "../server.ts";
import { CONVERSION_SERVICE, NAME } from "../webhook-configuration.ts";
import { caBundle, loadAuthority, type Authority, type AuthorityOptions } from "./authority.ts";
import { LIFETIMES, type Lifetimes } from "./lifetimes.ts";

const DAY_MS = 24 * 3600 * 1000;
/** An authority is replaced when less than this part of its life is left, and early enough for a whole leaf. */
const RENEW_AUTHORITY_AT = 1 / 6;
/** A leaf is replaced when less than this part of its life is left. */
const RENEW_LEAF_AT = 1 / 3;

/** What is served, and what the API server has to trust. */
export interface Certificates {
  authority: Authority;
  serving: ServingCertificate;
  notAfter: Date;
  caBundle: string;
}

export interface CertificateOptions extends Omit<AuthorityOptions, "create" | "renewBeforeMs" | "present"> {
  /** Base URL under which the API server reaches us; absent: the Service. */
  url?: string;
  lifetimes?: Lifetimes;
}

/**
 * The certificates for now: `present` where they are good, else with a new leaf, under a new authority if need be. The
 * caller makes the API server trust `caBundle` before it serves the new leaf.
 */
export async function nextCertificates(
  options: CertificateOptions,
  present: Certificates | undefined,
): Promise<Certificates> {
  const { api, namespace, now, lifetimes = LIFETIMES } = options;
  const { leafMs, authorityMs } = lifetimes;
  const authority = await loadAuthority({
    api,
    namespace,
    now,
    renewBeforeMs: Math.max(authorityMs * RENEW_AUTHORITY_AT, leafMs),
    present: present?.authority,
    create: () => createAuthority({ commonName: `${NAME}-ca`, days: authorityMs / DAY_MS, now: now.getTime() }),
  });
  const bundle = caBundle(authority, now);
  if (present !== undefined && isGood(present, authority, now, leafMs))
    return { ...present, authority, caBundle: bundle };
  const serving = await issueCertificate(authority, {
    commonName: NAME,
    ...namesOf(options),
    days: leafMs / DAY_MS,
    usage: "server",
    now: now.getTime(),
  });
  return { authority, serving, notAfter: new X509Certificate(serving.certPem).validToDate, caBundle: bundle };
}

function isGood(present: Certificates, authority: Authority, now: Date, leafMs: number): boolean {
  const left = present.notAfter.getTime() - now.getTime();
  return present.authority.certPem === authority.certPem && left > leafMs * RENEW_LEAF_AT;
}

function namesOf({ url, namespace }: CertificateOptions): { dnsNames: string[]; ipAddresses: string[] } {
  const dnsNames = [NAME, CONVERSION_SERVICE].flatMap((name) => {
    const service = `${name}.${namespace}.svc`;
    return [service, `${service}.cluster.local`];
  });
  if (url === undefined) return { dnsNames, ipAddresses: [] };
  const host = new URL(url).hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(host) === 0 ? { dnsNames: [...dnsNames, host], ipAddresses: [] } : { dnsNames, ipAddresses: [host] };
}
