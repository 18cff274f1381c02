// SPDX-License-Identifier: Apache-2.0
import { randomBytes, sign, type KeyObject } from "node:crypto";
import { bitString, explicit, integer, oid, sequence, set, time, utf8String } from "./der.ts";

/** What a certificate says (RFC 5280), and the key that vouches for it. Names are DER, times ms since the epoch. */
export interface CertificateContent {
  subject: Uint8Array;
  issuer: Uint8Array;
  publicKey: KeyObject;
  signingKey: KeyObject;
  notBefore: number;
  notAfter: number;
  extensions: Uint8Array;
}

const COMMON_NAME = "2.5.4.3";
const ORGANIZATION = "2.5.4.10";
const ECDSA_WITH_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));

/** `O=…, CN=…` in DER. */
export function distinguishedName(commonName: string, organizations: readonly string[]): Buffer {
  return sequence(
    ...organizations.map((organization) => attribute(ORGANIZATION, organization)),
    attribute(COMMON_NAME, commonName),
  );
}

function attribute(type: string, value: string): Buffer {
  // The upper bound of both attributes in RFC 5280, appendix A.
  if (value === "" || Array.from(value).length > 64) {
    throw new RangeError(`"${value}" must have 1 to 64 characters to be a name in a certificate`);
  }
  return set(sequence(oid(type), utf8String(value)));
}

/** Signs with ECDSA and SHA-256; the result is PEM. */
export function signCertificate(content: CertificateContent): string {
  const version3 = explicit(0, integer(Uint8Array.of(2)));
  const signed = sequence(
    version3,
    integer(serialNumber()),
    ECDSA_WITH_SHA256,
    content.issuer,
    sequence(time(content.notBefore), time(content.notAfter)),
    content.subject,
    content.publicKey.export({ type: "spki", format: "der" }),
    explicit(3, content.extensions),
  );
  const signature = sign("sha256", signed, { key: content.signingKey, dsaEncoding: "der" });
  const certificate = sequence(signed, ECDSA_WITH_SHA256, bitString(signature));
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** Random, positive and not zero. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}
