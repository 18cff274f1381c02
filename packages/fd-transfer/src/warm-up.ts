// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { acceptSeveral } from "./accept-handles.ts";
import { loadNative } from "./native/addon.ts";
import { OwnedFd } from "./native/owned-fd.ts";
import { connectPast } from "./private-connection.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: warm-up\r\nConnection: close\r\n\r\n";
/** Where that takes longer nothing is won by it. */
const MOST_MS = 500;

/**
 * One HTTP exchange of this process with itself, as its probe will make it, and a listener: what runs for the first time
 * takes several times as long as the next time, and both sides would wait for it between `ready()` and the takeover.
 * Nothing depends on it.
 */
export async function warmUp(): Promise<void> {
  await Promise.race([exchange().catch(() => undefined), sleep(MOST_MS, undefined, { ref: false })]);
}

async function exchange(): Promise<void> {
  const server = createServer((_request, response) => response.setHeader("x-warm", "up").end("up"));
  server.on("error", () => undefined);
  using listener = new OwnedFd(loadNative().listenTcp("127.0.0.1", 0, { backlog: 1 }));
  server.listen({ fd: loadNative().dup(listener.fd) }, 1);
  try {
    acceptSeveral(server, listener.fd, 1);
  } finally {
    server.close();
  }
  const client = await connectPast(server);
  client.on("error", () => undefined).resume();
  client.end(REQUEST);
  await once(client, "close");
}
