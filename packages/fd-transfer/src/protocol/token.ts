// SPDX-License-Identifier: Apache-2.0
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Bodies } from "./message.ts";

type Signed = Pick<Bodies["HELLO"], "name" | "version" | "startedAt" | "nonce">;
/** The message that is signed, so that one cannot be used as the other. */
type Label = "HELLO" | "MOVE";

/** HMAC-SHA256 over who asks; empty without a token. */
export function sign(label: Label, token: string | undefined, asking: Signed): Uint8Array {
  if (token === undefined) return new Uint8Array();
  const mac = createHmac("sha256", token);
  mac.update(`HFT1 ${label}\0${asking.name}\0${asking.version}\0${asking.startedAt}\0`);
  mac.update(asking.nonce);
  return new Uint8Array(mac.digest());
}

export function isSigned(label: Label, token: string | undefined, asking: Signed & { mac: Uint8Array }): boolean {
  const expected = sign(label, token, asking);
  return asking.mac.byteLength === expected.byteLength && timingSafeEqual(asking.mac, expected);
}
