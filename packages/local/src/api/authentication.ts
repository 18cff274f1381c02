// SPDX-License-Identifier: Apache-2.0
import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import type { User } from "./admission-review.ts";

/** Who asks: the subject of a client certificate of our CA, or the bearer of the token; undefined is a 401. */
export type Authenticate = (request: IncomingMessage) => User | undefined;

export function authenticator(): { authenticate: Authenticate; token: string } {
  const token = randomBytes(24).toString("base64url");
  const expected = Buffer.from(`Bearer ${token}`);
  const authenticate: Authenticate = ({ socket, headers }) => {
    const given = Buffer.from(headers.authorization ?? "");
    if (given.length === expected.length && timingSafeEqual(given, expected)) return member("admin");
    if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
    const name = socket.getPeerCertificate().subject?.CN;
    return member(typeof name === "string" ? name : "admin");
  };
  return { authenticate, token };
}

/** Everybody with credentials may do everything: this server has no authorization. */
const member = (username: string): User => ({ username, groups: ["system:masters", "system:authenticated"] });
