// SPDX-License-Identifier: Apache-2.0
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http";
import { expect, test } from "vitest";
import type { Handoff } from "../src/index.ts";
import { StubHandoff } from "../src/testing.ts";

/** As an application would write it. */
async function start(hot: Handoff): Promise<{ port: number; udp: number }> {
  const http = await hot.listener("http", { port: 0, host: "127.0.0.1" });
  http.attach(createServer((_request, response) => response.end("hello")));
  const echo = await hot.datagram("echo", { port: 0, host: "127.0.0.1" });
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => socket.send(message, from.port, from.address));
  echo.attach(socket);
  hot.state("routes", { export: () => ["a"], import: () => undefined });
  await hot.ready({
    probe: async () => {
      const client = await http.connectPrivately();
      client.end("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      expect(String((await once(client, "data"))[0])).toContain("200 OK");
    },
  });
  return { port: http.address.port, udp: echo.address.port };
}

test("a program written for a hand-off serves with the stub, and its state and its ownership can be tested", async () => {
  await using hot = new StubHandoff();
  expect(hot.isOwner).toBe(false);
  const { port, udp } = await start(hot);
  expect(hot).toMatchObject({ isOwner: true, role: "fresh", epoch: 1n });
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } });
  expect(await response.text()).toBe("hello");
  const client = createSocket("udp4");
  client.send("x", udp, "127.0.0.1");
  expect(String((await once(client, "message"))[0])).toBe("x");
  client.close();
  expect(hot.states.get("routes")?.export()).toEqual(["a"]);
  hot.loseOwnership();
  expect(hot.signal.aborted).toBe(true);
});
