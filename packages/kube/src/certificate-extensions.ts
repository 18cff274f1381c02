// SPDX-License-Identifier: Apache-2.0
import { createHash, type KeyObject } from "node:crypto";
import { isIP, isIPv4 } from "node:net";
import { bitString, boolean, children, implicit, integer, octetString, oid, sequence } from "./der.ts";

const SUBJECT_KEY_ID = "2.5.29.14";
const KEY_USAGE = "2.5.29.15";
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
const BASIC_CONSTRAINTS = "2.5.29.19";
const AUTHORITY_KEY_ID = "2.5.29.35";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/** Extensions of an authority that signs leaves only: path length 0, keyCertSign and cRLSign. */
export function authorityExtensions(publicKey: KeyObject): Buffer {
  return sequence(
    extension(BASIC_CONSTRAINTS, true, sequence(boolean(true), integer(Uint8Array.of(0)))),
    extension(KEY_USAGE, true, bitString(Uint8Array.of(0b0000_0110), 1)),
    extension(SUBJECT_KEY_ID, false, octetString(keyId(publicKey))),
  );
}

export interface LeafOptions {
  dnsNames: readonly string[];
  ipAddresses: readonly string[];
  usage: "server" | "client" | "both";
  publicKey: KeyObject;
  issuerKey: KeyObject;
}

/** Extensions of a certificate that can't sign others: digitalSignature, its usage and its alternative names. */
export function leafExtensions({ dnsNames, ipAddresses, usage, publicKey, issuerKey }: LeafOptions): Buffer {
  const usages = [...(usage === "client" ? [] : [SERVER_AUTH]), ...(usage === "server" ? [] : [CLIENT_AUTH])];
  const names = [
    ...dnsNames.map((name) => implicit(2, dnsName(name))),
    ...ipAddresses.map((address) => implicit(7, ipBytes(address))),
  ];
  return sequence(
    extension(BASIC_CONSTRAINTS, true, sequence()),
    extension(KEY_USAGE, true, bitString(Uint8Array.of(0b1000_0000), 7)),
    extension(EXTENDED_KEY_USAGE, false, sequence(...usages.map(oid))),
    extension(SUBJECT_KEY_ID, false, octetString(keyId(publicKey))),
    extension(AUTHORITY_KEY_ID, false, sequence(implicit(0, keyId(issuerKey)))),
    ...(names.length === 0 ? [] : [extension(SUBJECT_ALTERNATIVE_NAME, false, sequence(...names))]),
  );
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

/** RFC 5280 4.2.1.2, method 1: SHA-1 of the public key's bits. An identifier, not a protection. */
function keyId(publicKey: KeyObject): Buffer {
  const [, bits] = children(publicKey.export({ type: "spki", format: "der" }));
  const UNUSED_BITS_AND_HEADER = 3;
  return createHash("sha1")
    .update(bits?.subarray(UNUSED_BITS_AND_HEADER) ?? "")
    .digest();
}

function dnsName(name: string): Buffer {
  if (!/^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i.test(name)) {
    throw new RangeError(`"${name}" is no DNS name for a certificate`);
  }
  return Buffer.from(name, "ascii");
}

function ipBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  if (isIP(address) === 0) throw new RangeError(`"${address}" is no IP address for a certificate`);
  // URL brings every spelling to lower-case hexadecimal groups with at most one "::".
  const [head = "", tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const before = groups(head);
  const after = groups(tail ?? "");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return Buffer.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]));
}

function groups(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}
