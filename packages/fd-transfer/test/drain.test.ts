// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import { Agent, createServer as createSecureServer, request as requestSecurely } from "node:https";
import { createConnection } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, expect, test } from "vitest";
import type { DrainReport } from "../src/drain.ts";
import { Drain } from "../src/drain.ts";
import { identity } from "./fixtures/tls-identity.ts";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(
  handler: RequestListener,
  prepare: (server: Server) => void = () => undefined,
): Promise<{ drain: Drain; port: number }> {
  const server = createServer(handler);
  prepare(server);
  const drain = new Drain();
  drain.track(server);
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { drain, port: (server.address() as AddressInfo).port };
}

class Client {
  readonly socket: Socket;
  readonly ended: Promise<unknown>;
  text = "";

  constructor(port: number) {
    this.socket = createConnection(port, "127.0.0.1");
    this.socket.on("data", (chunk) => (this.text += String(chunk)));
    this.ended = once(this.socket, "end");
  }

  async ask(): Promise<string> {
    this.text = "";
    this.socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    while (!this.text.endsWith("ok")) await once(this.socket, "data");
    return this.text;
  }
}

test("an idle connection is answered once more, with Connection: close, and ends then", async () => {
  const { drain, port } = await serve((_, response) => void response.end("ok"));
  const client = new Client(port);
  expect(await client.ask()).toContain("Connection: keep-alive");
  const done = drain.finish({ deadlineMs: 10_000 });
  expect(await client.ask()).toContain("Connection: close");
  await client.ended;
  expect(await done).toMatchObject({ connections: 1, closed: 1, reset: 0 });
});

test("a connection that is kept does not keep what was answered on it", async () => {
  let answered: WeakRef<object> | null = null;
  const { drain, port } = await serve((_, response) => {
    answered = new WeakRef(response);
    response.end("ok");
  });
  const client = new Client(port);
  await client.ask();
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let turns = 0; turns < 20 && answered!.deref() !== undefined; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  expect(answered!.deref()).toBeUndefined();
  expect(drain.connections).toBe(1);
  client.socket.destroy();
});

test("a response whose head was not sent yet announces the end too", async () => {
  let answer = (): void => undefined;
  const { drain, port } = await serve((_, response) => {
    answer = () => void response.end("ok");
  });
  const client = new Client(port);
  const asked = client.ask();
  while (drain.connections === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 20));
  drain.begin();
  answer();
  expect(await asked).toContain("Connection: close");
  await client.ended;
});

test("at the deadline what is left is destroyed, and counted by kind", async () => {
  const { drain, port } = await serve((request, response) => {
    if (request.headers.host === "a") response.end("ok");
  });
  const idle = new Client(port);
  await idle.ask();
  const busy = new Client(port);
  busy.socket.on("error", () => undefined);
  busy.ended.catch(() => undefined);
  idle.ended.catch(() => undefined);
  busy.socket.write("GET / HTTP/1.1\r\nHost: hangs\r\n\r\n");
  while (drain.connections < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const report = await drain.finish({ deadlineMs: 50 });
  expect(report).toMatchObject({ connections: 2, closed: 0, reset: 2, resetBusy: 1 });
});

test("a drain that is cancelled leaves connections as they were", async () => {
  const { drain, port } = await serve((_, response) => void response.end("ok"));
  const client = new Client(port);
  await client.ask();
  drain.begin();
  drain.cancel();
  expect(await client.ask()).toContain("Connection: keep-alive");
  client.socket.destroy();
});

test("an answer that comes before the upload has ended reaches the client whole: no reset over unread bytes", async () => {
  const answer = `${"x".repeat(200_000)}ok`;
  const { drain, port } = await serve((_, response) => void response.writeHead(413).end(answer));
  drain.begin();
  const client = new Client(port);
  client.socket.pause();
  const errors: Error[] = [];
  client.socket.on("error", (error) => errors.push(error));
  client.socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n");
  for (let sent = 0; sent < 4_000_000; sent += 100_000) {
    client.socket.write(Buffer.alloc(100_000));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  client.socket.resume();
  await client.ended;
  expect(errors).toEqual([]);
  expect(client.text).toContain("Connection: close");
  expect(client.text.match(/x/g)).toHaveLength(200_000);
  while (drain.connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

test("a client that gives its upload up after an early answer is let go", async () => {
  const { drain, port } = await serve((_, response) => void response.writeHead(413).end("ok"));
  const client = new Client(port);
  client.socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\nbegun");
  drain.begin();
  await client.ended;
  client.socket.destroy();
  while (drain.connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

test("requests that a client sent at once are all answered; the last answer announces the end", async () => {
  const { drain, port } = await serve((request, response) => {
    setTimeout(() => response.end(request.url), 20);
  });
  drain.begin();
  const client = new Client(port);
  client.socket.write(["/1", "/2", "/3"].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(""));
  await client.ended;
  expect(client.text.match(/(?<=\r\n\r\n)\/\d/g)).toEqual(["/1", "/2", "/3"]);
  expect(client.text.match(/Connection: [a-z-]+/g)).toEqual([
    "Connection: keep-alive",
    "Connection: keep-alive",
    "Connection: close",
  ]);
});

test("a drain that is cancelled destroys nothing at its deadline: this process serves again", async () => {
  const { drain, port } = await serve((_, response) => void response.end("ok"));
  const client = new Client(port);
  await client.ask();
  const done = drain.finish({ deadlineMs: 60_000 });
  drain.cancel();
  expect(await done).toMatchObject({ connections: 1, closed: 0, reset: 0 });
  expect(await client.ask()).toContain("Connection: keep-alive");
  client.socket.destroy();
});

test("a server that answers Expect: 100-continue by itself announces the end as well", async () => {
  const { drain, port } = await serve(
    (_, response) => void response.end("ok"),
    (server) => {
      server.on("checkContinue", (request, response) => {
        response.writeContinue();
        server.emit("request", request, response);
      });
    },
  );
  drain.begin();
  const client = new Client(port);
  client.socket.write("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  await once(client.socket, "data");
  client.socket.write("hi");
  await client.ended;
  expect(client.text).toMatch(/^HTTP\/1.1 100 Continue.*HTTP\/1.1 200 OK.*Connection: close.*ok$/s);
});

test("spread: the ends are announced one after the other, not all at once", async () => {
  const { drain, port } = await serve((_, response) => void response.end("ok"));
  const clients = Array.from({ length: 4 }, () => new Client(port));
  for (const client of clients) await client.ask();
  drain.begin(3_600_000);
  const answers = [];
  for (const client of clients) answers.push(await client.ask());
  expect(answers.filter((answer) => answer.includes("Connection: close"))).toHaveLength(1);
  for (const client of clients) client.socket.destroy();
});

test("a drain without a deadline says once when nothing is left, at once if nothing was there", async () => {
  const { drain, port } = await serve((_, response) => void response.end("ok"));
  const reports: DrainReport[] = [];
  drain.begin(0, (report) => reports.push(report));
  expect(reports).toMatchObject([{ connections: 0, closed: 0 }]);
  drain.cancel();
  const client = new Client(port);
  await client.ask();
  const ended = new Promise<DrainReport>((resolve) => drain.begin(0, resolve));
  await client.ask();
  expect(await ended).toMatchObject({ connections: 1, closed: 1 });
});

test("spread on https: a request knows its encrypted socket only, and the ends are spread all the same", async () => {
  const server = createSecureServer(identity, (request, response) => {
    if (request.url === "/hangs") response.write("begun");
    else response.end("ok");
  });
  const drain = new Drain();
  drain.track(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const agents = Array.from({ length: 4 }, () => new Agent({ keepAlive: true, maxSockets: 1, ca: identity.cert }));
  const ask = async (agent: Agent, path = "/"): Promise<string> => {
    const asked = requestSecurely({ host: "127.0.0.1", port, agent, path })
      .on("error", () => undefined)
      .end();
    const [response] = (await once(asked, "response")) as [
      NodeJS.ReadableStream & { headers: { connection?: string } },
    ];
    response.on("error", () => undefined).resume();
    if (path === "/") await once(response, "end");
    return response.headers.connection ?? "";
  };
  for (const agent of agents) expect(await ask(agent)).toBe("keep-alive");
  drain.begin(3_600_000);
  const answers = [];
  for (const agent of agents) answers.push(await ask(agent));
  expect(answers.filter((answer) => answer === "close")).toHaveLength(1);
  await ask(agents.at(-1)!, "/hangs");
  // One connection has ended; of the three that are left one is being answered.
  while (drain.connections > 3) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await drain.finish({ deadlineMs: 10 })).toMatchObject({ connections: 4, closed: 1, reset: 3, resetBusy: 1 });
  for (const agent of agents) agent.destroy();
  server.close();
});

test.each([Infinity, 2 ** 32])("a deadline of %d ms is far away, and not at once", async (deadlineMs) => {
  const { drain, port } = await serve((_, response) => void response.end("ok"));
  const client = new Client(port);
  await client.ask();
  const done = drain.finish({ deadlineMs });
  await sleep(20); // a timer that cannot go so far ends after 1 ms
  expect(await client.ask()).toContain("Connection: close");
  expect(await done).toMatchObject({ connections: 1, closed: 1, reset: 0 });
});

test("an upgraded connection is no keep-alive connection: it is left alone until the deadline, and counted", async () => {
  const { drain, port } = await serve(
    (_, response) => void response.end("ok"),
    (server) => {
      server.on("upgrade", (_request, socket) => {
        socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
        socket.pipe(socket);
        socket.on("error", () => undefined);
      });
    },
  );
  const client = new Client(port);
  client.ended.catch(() => undefined);
  client.socket.on("error", () => undefined);
  client.socket.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  while (!client.text.includes("101")) await once(client.socket, "data");
  const done = drain.finish({ deadlineMs: 200 });
  client.socket.write("still here");
  while (!client.text.includes("still here")) await once(client.socket, "data");
  expect(await done).toMatchObject({ connections: 1, moved: 0, closed: 0, reset: 1, resetBusy: 0 });
});
