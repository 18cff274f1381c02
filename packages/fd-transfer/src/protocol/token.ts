// SPDX-License-Identifier: Apache-2.0
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Bodies } from "./message.ts";

type Signed = Pick<Bodies["HELLO"], "name" | "version" | "startedAt" | "nonce">;

/** HMAC-SHA256 over who asks; empty without a token. */
export function signHello(token: string | undefined, hello: Signed): Uint8Array {
  if (token === undefined) return new Uint8Array();
  const mac = createHmac("sha256", token);
  mac.update(`HFT1 HELLO\0${hello.name}\0${hello.version}\0${hello.startedAt}\0`);
  mac.update(hello.nonce);
  return new Uint8Array(mac.digest());
}

export function isSigned(token: string | undefined, hello: Signed & Pick<Bodies["HELLO"], "mac">): boolean {
  const expected = signHello(token, hello);
  return hello.mac.byteLength === expected.byteLength && timingSafeEqual(hello.mac, expected);
}
