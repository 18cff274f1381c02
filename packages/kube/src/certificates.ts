// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey, generateKeyPair, X509Certificate, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { authorityExtensions, leafExtensions } from "./certificate-extensions.ts";
import { children } from "./der.ts";
import { distinguishedName, signCertificate } from "./sign-certificate.ts";

/** A certificate and its private key (PKCS #8), both PEM. Plain data, as a Secret holds it. */
export interface CertificatePair {
  certPem: string;
  keyPem: string;
}

/** The pair of a certificate that may sign others. */
export type Authority = CertificatePair;

export interface AuthorityOptions {
  commonName: string;
  /** Validity in days, counted from `now`. */
  days: number;
  /** Milliseconds since the epoch; default: the system's clock. */
  now?: number;
}

export interface CertificateOptions {
  commonName: string;
  dnsNames: readonly string[];
  ipAddresses: readonly string[];
  /** Validity in days, counted from `now`; cut to the authority's own. */
  days: number;
  usage: "server" | "client" | "both";
  /** `O=`, which Kubernetes reads as the groups of a client. */
  organizations?: readonly string[];
  /** Milliseconds since the epoch; default: the system's clock. */
  now?: number;
}

const DAY_MS = 86_400_000;
/** Every certificate begins this long before it is made, in milliseconds: other machines' clocks may be behind. */
export const SKEW_MS = 300_000;

/** Creates a self-signed authority: ECDSA P-256, signs leaf certificates only. */
export async function createAuthority({ commonName, days, now = Date.now() }: AuthorityOptions): Promise<Authority> {
  requirePositive(days);
  const { publicKey, privateKey } = await newKeys();
  const name = distinguishedName(commonName, []);
  const certPem = signCertificate({
    subject: name,
    issuer: name,
    publicKey,
    signingKey: privateKey,
    notBefore: now - SKEW_MS,
    notAfter: now + days * DAY_MS,
    extensions: authorityExtensions(publicKey),
  });
  return { certPem, keyPem: pem(privateKey) };
}

/**
 * Issues a certificate with a new key: ECDSA P-256. It never outlives its authority.
 *
 * @throws RangeError when a name, address or number of days can't be put in a certificate.
 * @example
 * const authority = await createAuthority({ commonName: "hot-ca", days: 365 });
 * const server = await issueCertificate(authority, {
 *   commonName: "hot-webhook", dnsNames: ["hot-webhook.hot-system.svc"], ipAddresses: [], days: 7, usage: "server",
 * });
 */
export async function issueCertificate(authority: Authority, options: CertificateOptions): Promise<CertificatePair> {
  const { commonName, organizations = [], days, now = Date.now() } = options;
  requirePositive(days);
  const issuer = new X509Certificate(authority.certPem);
  const signingKey = createPrivateKey(authority.keyPem);
  if (!issuer.checkPrivateKey(signingKey)) {
    throw new RangeError("the authority's key does not belong to its certificate. Create the authority anew.");
  }
  const notAfter = Math.min(now + days * DAY_MS, Date.parse(issuer.validTo));
  if (notAfter <= now) throw new RangeError(`the authority has expired at ${issuer.validTo}. Create it anew.`);
  const { publicKey, privateKey } = await newKeys();
  const certPem = signCertificate({
    subject: distinguishedName(commonName, organizations),
    issuer: subjectOf(issuer),
    publicKey,
    signingKey,
    notBefore: now - SKEW_MS,
    notAfter,
    extensions: leafExtensions({ ...options, publicKey, issuerKey: createPublicKey(signingKey) }),
  });
  return { certPem, keyPem: pem(privateKey) };
}

const newKeys = (): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> =>
  promisify(generateKeyPair)("ec", { namedCurve: "P-256" });

const pem = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }).toString();

/** The issuer of a certificate must equal the authority's subject byte by byte, however that was encoded. */
function subjectOf(certificate: X509Certificate): Buffer {
  const [signed] = children(certificate.raw);
  const fields = signed === undefined ? [] : children(signed);
  // [version] serial algorithm issuer validity subject: every authority is version 3, so the version is there.
  const subject = fields[5];
  if (subject === undefined) throw new RangeError("the authority's certificate is not a version 3 certificate");
  return subject;
}

function requirePositive(days: number): void {
  if (!(days > 0)) throw new RangeError(`a certificate is valid for more than 0 days, not ${days}`);
}
