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
import { selfCheck } from "../src/self-check.ts";

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

async function proxied(listener: (...args: Parameters<RequestListener>) => void | Promise<void>): Promise<number> {
  const port = await listen((request, response) => void listener(request, response));
  return listen(createProxy({ upstream: { host: "127.0.0.1", port }, identity: { "x-sidecar-version": "v1" } }));
}

async function send(
  port: number,
  method: string,
  body?: Buffer | string,
  headers: Record<string, string> = {},
  path = "/",
) {
  const request = httpRequest({ host: "127.0.0.1", port, path, method, headers, agent: false });
  request.end(body);
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  if (!request.closed) await once(request, "close"); // an error after the answer is one, too
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
  expect((await send(port, "POST", "b")).status).toBe(502); // it has arrived: nobody knows what it did
  expect(requests).toBe(2);
});

test("a byte arrives as soon as it was sent, not at the end of the answer", async () => {
  const seen = Promise.withResolvers<void>();
  const port = await proxied(async (_, response) => {
    response.write("first");
    await seen.promise; // comes from the client: without streaming this would wait for ever
    response.end("last");
  });
  const request = httpRequest({ host: "127.0.0.1", port, agent: false }).end();
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  const [chunk] = (await once(answer, "data")) as [Buffer];
  expect(chunk.toString()).toBe("first");
  seen.resolve();
  const [rest] = (await once(answer, "data")) as [Buffer];
  expect(rest.toString()).toBe("last");
});

test("a client that does not read holds the application up, instead of filling our memory", async () => {
  const size = 64 << 20;
  let written = 0;
  const port = await proxied(async (_, response) => {
    const chunk = Buffer.alloc(64 << 10);
    while (written < size) {
      written += chunk.length;
      if (!response.write(chunk)) await once(response, "drain");
    }
    response.end();
  });
  const request = httpRequest({ host: "127.0.0.1", port, agent: false }).end();
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  const stalled = async (): Promise<number> => {
    for (let before = -1, steady = 0; steady < 5; before = written) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      steady = written === before ? steady + 1 : 0;
    }
    return written;
  };
  expect(await stalled()).toBeLessThan(size / 2); // what the sockets' buffers hold
  let read = 0;
  for await (const chunk of answer) read += (chunk as Buffer).length;
  expect(read).toBe(size);
});

test("a large upload to an application that is away gets its 502, not a reset", async () => {
  const port = await listen(createProxy({ upstream: { host: "127.0.0.1", port: 1 }, identity: {} }));
  const answer = await send(port, "POST", Buffer.alloc(16 << 20));
  expect(answer.status).toBe(502);
});

test("an answer before the end of the upload is passed on", async () => {
  const port = await proxied(
    (_, response) => void response.writeHead(413, "Too Much", { "x-limit": "1" }).end("enough"),
  );
  const answer = await send(port, "POST", Buffer.alloc(1 << 20));
  expect(answer.status).toBe(413);
  expect(answer.headers["x-limit"]).toBe("1");
});

test("HEAD, 204 and 304 have no body and keep their headers", async () => {
  const port = await proxied((request, response) => {
    const status = { "/204": 204, "/304": 304 }[request.url ?? ""] ?? 200;
    response.writeHead(status, status === 200 ? { "content-length": 5 } : { etag: '"1"' }).end();
  });
  const head = await send(port, "HEAD");
  expect([head.status, head.headers["content-length"], head.body.length]).toEqual([200, "5", 0]);
  for (const status of [204, 304]) {
    const answer = await send(port, "GET", undefined, {}, `/${status}`);
    expect([answer.status, answer.headers.etag, answer.body.length]).toEqual([status, '"1"', 0]);
  }
});

test("the proxy answers OPTIONS with Max-Forwards 0 itself; that is how it checks itself", async () => {
  const identity = { "x-sidecar-version": "v1" };
  const port = await listen(createProxy({ upstream: { host: "127.0.0.1", port: 1 }, identity }));
  await selfCheck(connect(port, "127.0.0.1"), identity);
  await expect(selfCheck(connect(port, "127.0.0.1"), { "x-sidecar-version": "v2" })).rejects.toThrow(
    "does not answer as itself (x-sidecar-version: v1)",
  );
  const stranger = await listen((_, response) => void response.writeHead(200, identity).end());
  await expect(selfCheck(connect(stranger, "127.0.0.1"), identity)).rejects.toThrow("status 200");
});

test("a connection that the application would close while idle is closed by us before: a POST never meets it", async () => {
  let connections = 0;
  const app = createServer((request, response) => request.resume().on("end", () => response.end("ok")));
  app.on("connection", () => (connections += 1));
  // The application closes idle connections 800 ms after an answer and does not say so.
  app.on("request", (request) => {
    clearTimeout(closing);
    closing = setTimeout(() => request.socket.destroy(), 800);
  });
  let closing: NodeJS.Timeout | undefined;
  servers.push(app.listen(0, "127.0.0.1"));
  await once(app, "listening");
  const upstream = { host: "127.0.0.1", port: (app.address() as AddressInfo).port };
  const port = await listen(createProxy({ upstream, identity: {} }));
  for (const pause of [0, 50, 790, 0, 50, 800]) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    expect((await send(port, "POST", "x")).status).toBe(200);
  }
  expect(connections).toBeGreaterThan(1);
  clearTimeout(closing);
});
