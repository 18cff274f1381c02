// SPDX-License-Identifier: Apache-2.0
import { createServer } from "node:http";
import { connectPast } from "./private-connection.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: warm-up\r\nConnection: close\r\n\r\n";

/**
 * One HTTP exchange of this process with itself, over the loopback as a probe does it: the first of its life takes
 * several times as long as the next, and would otherwise be that of the probe, for which both sides wait.
 */
export function warmUp(): void {
  const server = createServer((_request, response) => response.setHeader("x-warm", "up").end("up"));
  // Nothing depends on it.
  const ignore = (): void => undefined;
  connectPast(server).then((client) => client.on("error", ignore).resume().end(REQUEST), ignore);
}
