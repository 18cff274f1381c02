// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { Target } from "../../src/load/client.ts";
import { Tally, total, type Kind } from "../../src/load/tally.ts";
import { startTraffic, type Mix } from "../../src/load/traffic.ts";

const none = { clients: 0, thinkMs: 0 };
const only = (kind: Kind, clients = 2, thinkMs = 5): Mix => ({
  keepAlive: none,
  newConnection: none,
  idle: none,
  slow: none,
  [kind]: { clients, thinkMs },
});

let server: Server | undefined;
afterEach(() => server?.closeAllConnections());
afterEach(() => void server?.close());

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** What the demo's sidecar and application answer together. */
const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const body = await bodyOf(request);
  response.setHeader("x-sidecar-version", "v1").setHeader("x-sidecar-container", "sidecar-1");
  if (request.url?.startsWith("/slow")) {
    for (let line = 0; line < 30; line += 1) response.write(`${line} tick\n`);
    response.end();
  } else if (request.method === "POST") {
    response.setHeader("x-body-sha256", createHash("sha256").update(body).digest("hex")).end(body);
  } else response.end("{}");
};

const honest: RequestListener = (request, response) => void answer(request, response);

async function serve(listener: RequestListener): Promise<Target[]> {
  server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return [{ pod: "web-1", host: "127.0.0.1", port: (server.address() as AddressInfo).port }];
}

async function run(targets: Target[], mix: Mix, ms = 150) {
  const tally = new Tally();
  const stop = startTraffic(targets, mix, tally);
  await sleep(ms);
  await stop();
  return tally.snapshot();
}

describe("an honest server", () => {
  test.each<Kind>(["keepAlive", "newConnection", "idle", "slow"])(
    "%s: everything is answered, nothing is lost",
    async (kind) => {
      const result = await run(await serve(honest), only(kind));
      expect(result.requests[kind]).toBeGreaterThan(2);
      expect(result.answered).toEqual(result.requests);
      expect(total(result.failed) + total(result.lostConnections)).toBe(0);
      expect(Object.keys(result.answersBySidecar["web-1"]!)).toEqual(["v1/sidecar-1"]);
    },
  );

  test("a connection that was announced to close is not lost", async () => {
    const result = await run(
      await serve((request, response) => honest(request, response.setHeader("connection", "close"))),
      only("keepAlive"),
    );
    expect(result.answered.keepAlive).toBeGreaterThan(2);
    expect(total(result.lostConnections)).toBe(0);
  });
});

describe("a server that does harm is caught", () => {
  test("an idle connection that is closed without an announcement is lost", async () => {
    const targets = await serve(honest);
    server!.keepAliveTimeout = 0;
    const tally = new Tally();
    const stop = startTraffic(targets, only("idle", 3, 1000), tally);
    while (tally.snapshot().answered.idle < 3) await sleep(20);
    server!.closeIdleConnections();
    await sleep(50);
    await stop();
    expect(tally.snapshot().lostConnections.idle).toBe(3);
    expect(tally.snapshot().failed.idle).toBe(0);
  });

  test.each<[string, RequestListener, Kind]>([
    ["a reset", (request) => void request.socket.resetAndDestroy(), "keepAlive"],
    ["a reset on a new connection", (request) => void request.socket.resetAndDestroy(), "newConnection"],
    [
      "status 503",
      (request, response) => void request.resume().on("end", () => response.writeHead(503).end()),
      "keepAlive",
    ],
    ["another body", (request, response) => void request.resume().on("end", () => response.end("x")), "keepAlive"],
    ["a cut stream", (_, response) => void response.write("0 tick\n", () => response.destroy()), "slow"],
    ["a stream that ends early", (_, response) => void response.end("0 tick\n1 tick\n"), "slow"],
    ["a stream with a hole", (_, response) => void response.end("0 tick\n2 tick\n"), "slow"],
  ])("%s is a failure", async (_, listener, kind) => {
    const result = await run(await serve(listener), only(kind), 60);
    expect(result.failed[kind]).toBeGreaterThan(0);
    expect(result.failed[kind] + result.answered[kind]).toBe(result.requests[kind]);
    expect(result.failures[0]).toMatch(`${kind} to web-1`);
  });

  test("nobody listens", async () => {
    const targets = await serve(honest);
    await new Promise((resolve) => server!.close(resolve));
    const result = await run(targets, only("newConnection"), 40);
    expect(result.failed.newConnection).toBe(result.requests.newConnection);
    expect(result.failures[0]).toContain("ECONNREFUSED");
  });
});

test("the longest gap counts silence until the traffic ends, and nothing after it", () => {
  const tally = new Tally();
  tally.answer("idle", "web-1", "v1/a", 1000);
  tally.answer("idle", "web-1", "v1/a", 1100);
  tally.answer("idle", "web-2", "v1/a", 1300);
  tally.endGaps(1350);
  tally.answer("slow", "web-2", "v1/a", 4000); // a slow answer that was under way
  expect(tally.snapshot().longestGapMs).toEqual({ "web-1": 250, "web-2": 50 });
  expect(tally.snapshot().answered.slow).toBe(1);
});
