// SPDX-License-Identifier: Apache-2.0
// The server on @hot/fd-transfer, as a user would write it: everything that can move, moves.
import { createSocket } from "node:dgram";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { flushCompileCache } from "node:module";
import type { Socket } from "node:net";
import { HotHandoff } from "../../../packages/fd-transfer/src/index.ts";
import { say } from "../../../packages/fd-transfer/test/fixtures/say.ts";
import { identity } from "../../../packages/fd-transfer/test/fixtures/tls-identity.ts";
import { application, EchoLines } from "./application.ts";
import { endWithParent } from "./end-with-parent.ts";

flushCompileCache();
endWithParent();
const { VERSION = "", HTTP_PORT = "0", UDP_PORT = "0", TLS_PORT = "0", GRACE_MS = "5000" } = process.env;
const host = "127.0.0.1";
const lines = new EchoLines();
const server = createServer({ keepAliveTimeout: 60_000 }, application(VERSION));
server.on("upgrade", (_request, socket, head) => {
  lines.upgrade(socket as Socket, head);
  echo.add(socket as Socket);
});

const hot = await HotHandoff.open({ name: "bench" });
for (const name of ["role", "committed", "owner", "rollback", "retry", "drained", "connectionLost"] as const) {
  hot.events.on(name, (...args: unknown[]) => say(name, { args }));
}
hot.handleSignals({ graceMs: Number(GRACE_MS) });
const echo = hot.connections<null>("echo", {
  pack: (socket) => ({ meta: null, unread: lines.partial(socket) }),
  adopt: (socket) => {
    lines.serve(socket);
    echo.add(socket);
  },
});
const http = await hot.listener("http", { port: Number(HTTP_PORT), host });
http.attach(server);
if (UDP_PORT !== "0") {
  const socket = createSocket("udp4");
  socket.on("message", (message, from) =>
    socket.send(`${message.toString("latin1")} ${VERSION}`, from.port, from.address),
  );
  (await hot.datagram("udp", { port: Number(UDP_PORT), host })).attach(socket);
}
if (TLS_PORT !== "0") {
  const tls = await hot.listener("tls", { port: Number(TLS_PORT), host });
  tls.attach(createTlsServer(identity, application(VERSION)));
}
let probeMs = 0;
const [start, cpu] = [performance.now(), process.cpuUsage()];
hot.events.once("committed", () => {
  const { user, system } = process.cpuUsage(cpu);
  say("took", { ms: performance.now() - start, cpuMs: (user + system) / 1_000, probeMs });
});
await hot.ready({
  probe: async () => {
    const begun = performance.now();
    const socket = await http.connectPrivately();
    socket.end("GET / HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n");
    for await (const answer of socket) {
      if (!String(answer).startsWith("HTTP/1.1 200")) throw new Error(String(answer).slice(0, 40));
    }
    probeMs = performance.now() - begun;
  },
});
say("ready", { role: hot.role, cookie: http.cookie });
