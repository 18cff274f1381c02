// SPDX-License-Identifier: Apache-2.0
import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import type { User } from "./admission-review.ts";

const AUTHENTICATED = "system:authenticated";

/**
 * Who asks: the subject of a client certificate of our CA, or the bearer of the token; undefined is a 401. Who is known may do
 * everything: this server has no authorization.
 */
export type Authenticate = (request: IncomingMessage) => User | undefined;

export function authenticator(): { authenticate: Authenticate; token: string } {
  const token = randomBytes(24).toString("base64url");
  const expected = Buffer.from(`Bearer ${token}`);
  const authenticate: Authenticate = ({ socket, headers }) => {
    const given = Buffer.from(headers.authorization ?? "");
    if (given.length === expected.length && timingSafeEqual(given, expected))
      return { username: "admin", groups: ["system:masters", AUTHENTICATED] };
    if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
    const { CN: name, O: groups = [] } = socket.getPeerCertificate().subject;
    return typeof name === "string" ? { username: name, groups: [groups].flat().concat(AUTHENTICATED) } : undefined;
  };
  return { authenticate, token };
}
