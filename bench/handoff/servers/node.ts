// SPDX-License-Identifier: Apache-2.0
// A server on plain Node. It listens with SO_REUSEPORT, or on a descriptor that it was started with; told to stop, it
// drains carefully or by close(). Also the backend of the proxies and the floor.
import { createServer } from "node:http";
import { flushCompileCache } from "node:module";
import type { Socket } from "node:net";
import { say } from "../../../packages/fd-transfer/test/fixtures/say.ts";
import { application, EchoLines } from "./application.ts";
import { drainByClose, drainCarefully } from "./careful-drain.ts";
import { endWithParent } from "./end-with-parent.ts";

flushCompileCache();
endWithParent();
const { VERSION = "", HTTP_PORT = "0", LISTEN = "", DRAIN = "", DRAIN_MS = "4000" } = process.env;
const lines = new EchoLines();
const server = createServer({ keepAliveTimeout: 120_000 }, application(VERSION));
server.on("upgrade", (_request, socket, head) => lines.upgrade(socket as Socket, head));
process.once("SIGTERM", () => {
  const end = (): never => process.exit(0);
  if (DRAIN === "careful") drainCarefully(server, Number(DRAIN_MS), end);
  else drainByClose(server, Number(DRAIN_MS), end);
});
if (LISTEN === "inherited") server.listen({ fd: 3 }, 4096, () => say("ready"));
else {
  const port = Number(HTTP_PORT);
  server.listen({ port, host: "127.0.0.1", backlog: 4096, reusePort: LISTEN === "reuseport" }, () => say("ready"));
}
