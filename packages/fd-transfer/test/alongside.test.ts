// SPDX-License-Identifier: Apache-2.0
// What is listened for beside the application changes nothing for its clients.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server, type ClientHttp2Session } from "node:http2";
import { connect, type AddressInfo, type Server as NetServer } from "node:net";
import { text } from "node:stream/consumers";
import { onTestFinished, expect, test } from "vitest";
import { Drain } from "../src/drain.ts";
import { HttpConnections } from "../src/http-connections.ts";

async function serve(server: NetServer): Promise<{ drain: Drain; port: number }> {
  const drain = new Drain();
  drain.track(server);
  expect(new HttpConnections("http/a", server as Server).key).toBe("http/a");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { drain, port: (server.address() as AddressInfo).port };
}

/** Sends this and reads to the end. */
async function exchange(port: number, request: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.write(request);
  return text(socket);
}

async function openHttp2(port: number): Promise<ClientHttp2Session> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  await once(session, "remoteSettings");
  return session;
}

test("without a handler of upgrades a request for one is an ordinary request, and CONNECT is closed", async () => {
  const { port } = await serve(createServer((_, response) => response.end("hello")));
  const upgrade = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n\r\n";
  expect(await exchange(port, upgrade)).toMatch(/^HTTP\/1.1 200 OK[^]*hello/);
  expect(await exchange(port, "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n")).toBe("");
});

test("a connection that was upgraded is none of HTTP any more", async () => {
  const server = createServer();
  const connections = new HttpConnections("http/b", server);
  const has: boolean[] = [];
  server.on("connection", (socket) => queueMicrotask(() => has.push(connections.has(socket))));
  server.on("upgrade", (_, socket) => {
    has.push(connections.has(socket as Parameters<typeof connections.has>[0]));
    socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  });
  const { port } = await serve(server);
  await exchange(port, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  expect(has).toEqual([true, false]);
});

test("an HTTP/2 server with streams alone stays one: trailers, and CONNECT for another protocol", async () => {
  const server = createHttp2Server({ settings: { enableConnectProtocol: true } });
  server.on("stream", (stream, headers) => {
    if (headers[":method"] === "CONNECT") {
      stream.respond({ ":status": 200 });
      stream.pipe(stream);
      return;
    }
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end("x");
  });
  const { port } = await serve(server);
  const session = await openHttp2(port);
  const asked = session.request({ ":path": "/" });
  const trailers = once(asked, "trailers");
  expect(await text(asked)).toBe("x");
  expect((await trailers)[0]).toMatchObject({ "grpc-status": "0" });
  const other = session.request({ ":method": "CONNECT", ":protocol": "websocket", ":authority": "a", ":path": "/" });
  other.end("ping");
  expect(await text(other)).toBe("ping");
});

test("a request with an expectation that the application handles itself carries the end of the drain, too", async () => {
  const server = createServer();
  const { drain, port } = await serve(server);
  server.on("request", (request, response) => {
    request.resume();
    response.end("plain");
  });
  drain.begin();
  const request = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nz";
  expect(await exchange(port, request)).toMatch(/^HTTP\/1.1 100 Continue[^]*Connection: close[^]*plain/);
  server.on("checkContinue", (asked, response) => {
    response.writeContinue();
    server.emit("request", asked, response);
  });
  expect(await exchange(port, request)).toMatch(/^HTTP\/1.1 100 Continue[^]*Connection: close[^]*plain/);
  await expect.poll(() => drain.connections).toBe(0);
});
