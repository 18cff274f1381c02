// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/**
 * Asks the proxy behind this connection whether it is there, and whether it is this one. The application is not asked:
 * a sidecar takes over while its application restarts, too.
 */
export async function selfCheck(socket: Socket, identity: Readonly<Record<string, string>>): Promise<void> {
  const request = httpRequest({
    createConnection: () => socket,
    method: "OPTIONS",
    path: "*",
    headers: { "max-forwards": "0", connection: "close" },
    signal: AbortSignal.timeout(5_000),
  });
  request.end();
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  answer.resume();
  const wrong = Object.entries(identity).find(([name, value]) => answer.headers[name] !== value);
  if (answer.statusCode !== 204 || wrong) {
    const seen = wrong ? `${wrong[0]}: ${String(answer.headers[wrong[0]])}` : `status ${answer.statusCode}`;
    throw new Error(`the proxy does not answer as itself (${seen})`);
  }
}
