// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";
import { type CertificatePair, createAuthority, issueCertificate } from "@hot/kube/certificates";

/** The certificates of one API server: made anew at each start, the authority's key is forgotten. */
export interface Identity {
  caPem: string;
  server: CertificatePair;
  /** What the kubeconfig carries: the user `admin` of `system:masters`. */
  client: CertificatePair;
}

const DAYS = 30;

export async function createIdentity(host: string): Promise<Identity> {
  const authority = await createAuthority({ commonName: "hot-local-ca", days: DAYS });
  const dnsNames = isIP(host) ? ["localhost"] : ["localhost", host];
  const ipAddresses = [...new Set(["127.0.0.1", ...(isIP(host) ? [host] : [])])];
  const server = await issueCertificate(authority, {
    commonName: "hot-local",
    dnsNames,
    ipAddresses,
    days: DAYS,
    usage: "server",
  });
  const client = await issueCertificate(authority, {
    commonName: "admin",
    organizations: ["system:masters"],
    dnsNames: [],
    ipAddresses: [],
    days: DAYS,
    usage: "client",
  });
  return { caPem: authority.certPem, server, client };
}
