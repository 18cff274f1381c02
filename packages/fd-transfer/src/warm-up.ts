// SPDX-License-Identifier: Apache-2.0
import { createServer } from "node:http";
import { duplexPair } from "node:stream";

const REQUEST = "GET / HTTP/1.1\r\nHost: warm-up\r\nConnection: close\r\n\r\n";

/**
 * One HTTP exchange of this process with itself, in memory: the first of its life takes several times as long as the
 * next, and would otherwise be that of the probe, for which both sides wait.
 */
export function warmUp(): void {
  const [client, served] = duplexPair();
  const server = createServer((_request, response) => response.setHeader("x-warm", "up").end("up"));
  // Nothing depends on it.
  for (const end of [client, served]) end.on("error", () => undefined);
  server.emit("connection", served);
  client.resume().end(REQUEST);
}
