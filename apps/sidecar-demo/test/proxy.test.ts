// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from "node:http";
import { connect, type AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createProxy } from "../src/proxy.ts";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function proxied(listener: RequestListener): Promise<number> {
  const port = await listen(listener);
  return listen(createProxy({ upstream: { host: "127.0.0.1", port }, identity: { "x-sidecar-version": "v1" } }));
}

async function send(port: number, method: string, body?: Buffer | string, headers: Record<string, string> = {}) {
  const request = httpRequest({ host: "127.0.0.1", port, method, headers, agent: false });
  request.end(body);
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) };
}

test("passes a large body both ways, and says which sidecar answered", async () => {
  const port = await proxied((request, response) => void request.pipe(response));
  const body = Buffer.alloc(8 << 20, "hot");
  const answer = await send(port, "POST", body);
  expect(answer.body.equals(body)).toBe(true);
  expect(answer.headers["x-sidecar-version"]).toBe("v1");
});

test("headers of the connection stay on the connection", async () => {
  let seen: IncomingMessage["headers"] = {};
  const port = await proxied((request, response) => {
    seen = request.headers;
    response.end();
  });
  await send(port, "GET", undefined, {
    connection: "x-private, keep-alive",
    "x-private": "1",
    te: "trailers",
    "x-public": "2",
  });
  expect(seen["x-private"]).toBeUndefined();
  expect(seen["te"]).toBeUndefined();
  expect(seen["x-public"]).toBe("2");
});

test("an answer that the application cuts arrives cut", async () => {
  const port = await proxied((_, response) => void response.write("half", () => response.destroy()));
  await expect(send(port, "GET")).rejects.toThrow();
});

test("an application that is away is a 502 with the place and the cause", async () => {
  const port = await listen(createProxy({ upstream: { host: "127.0.0.1", port: 1 }, identity: {} }));
  const answer = await send(port, "POST", "x");
  expect(answer.status).toBe(502);
  expect(answer.body.toString()).toContain("127.0.0.1:1 gives no answer (ECONNREFUSED)");
});

test("a client that leaves makes the application's request end too", async () => {
  let ended: Promise<unknown> = Promise.resolve();
  const arrived = Promise.withResolvers<void>();
  const port = await proxied((_, response) => {
    ended = once(response, "close");
    arrived.resolve();
  });
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await arrived.promise;
  socket.destroy();
  await ended;
});

test("a kept connection that the application closed does not fail the next GET", async () => {
  let requests = 0;
  const port = await proxied((request, response) => {
    requests += 1;
    if (requests === 2) request.socket.destroy();
    else response.end("ok");
  });
  expect((await send(port, "GET")).status).toBe(200);
  expect((await send(port, "GET")).status).toBe(200); // sent twice: the second time on a new connection
  expect(requests).toBe(3);
});

test("a POST is never sent twice", async () => {
  let requests = 0;
  const port = await proxied((request, response) => {
    requests += 1;
    if (requests === 2) request.socket.destroy();
    else response.end("ok");
  });
  expect((await send(port, "POST", "a")).status).toBe(200);
  expect((await send(port, "POST", "b")).status).toBe(502);
  expect(requests).toBe(2);
});
