// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from "node:http";

/** Headers that belong to one connection, not to the message (RFC 9110 7.6.1). */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Name and value pairs of a message without those of the connection and those that its `Connection` names. */
export function endToEndHeaders(message: IncomingMessage): string[] {
  const named = new Set((message.headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
  const kept: string[] = [];
  for (let index = 0; index < message.rawHeaders.length; index += 2) {
    const name = message.rawHeaders[index] ?? "";
    const lower = name.toLowerCase();
    if (!hopByHop.has(lower) && !named.has(lower)) kept.push(name, message.rawHeaders[index + 1] ?? "");
  }
  return kept;
}
