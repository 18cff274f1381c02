// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import { createConnection } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { DrainReport } from "../src/drain.ts";
import { Drain } from "../src/drain.ts";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(handler: RequestListener): Promise<{ drain: Drain; port: number }> {
  const server = createServer(handler);
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
  expect(await done).toMatchObject({ connections: 1, ended: 1, destroyedBusy: 0, destroyedIdle: 0 });
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
  expect(report).toMatchObject({ connections: 2, ended: 0, destroyedBusy: 1, destroyedIdle: 1 });
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
  expect(reports).toMatchObject([{ connections: 0, ended: 0 }]);
  drain.cancel();
  const client = new Client(port);
  await client.ask();
  const ended = new Promise<DrainReport>((resolve) => drain.begin(0, resolve));
  await client.ask();
  expect(await ended).toMatchObject({ connections: 1, ended: 1 });
});
