// SPDX-License-Identifier: Apache-2.0
// A listener that the owner closes on purpose is gone in every process; its connections go on.
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { HotHandoff } from "../src/handoff.ts";
import { Scene } from "./fixtures/fixture-process.ts";
import { KeepAliveClient } from "./fixtures/keep-alive-client.ts";
import { ask } from "./fixtures/load.ts";

async function refused(port: number): Promise<boolean> {
  try {
    await ask(port, false, "x");
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
  }
}

test("CLOSED: the standby closes its descriptor too, so that nobody is left waiting in a queue", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const second = await scene.ready("v2");
  const client = new KeepAliveClient(scene.port);
  expect(await client.ask("x")).toMatchObject({ version: "v2" });
  second.kill("SIGWINCH");
  await second.says("closed");
  while (!(await refused(scene.port))) await sleep(20);
  expect(await client.ask("y")).toEqual({ version: "v2", last: false });
  client.destroy();
  const mark = first.said.length;
  await second.end();
  await first.says("owner", mark);
  expect(await refused(scene.port)).toBe(true);
});

test("the standby forgets it with everything that hung on it: server and key are free when it owns again", async () => {
  await using scene = await Scene.open();
  const server = (name: string): ReturnType<typeof createServer> =>
    createServer((_, response) => response.setHeader("x-version", name).end("x"));
  const open = async (): Promise<HotHandoff> =>
    HotHandoff.open({ name: "fixture", dir: scene.dir, env: {}, timeouts: { guardMs: 20 } });
  await using first = await open();
  const [before, kept] = [server("before"), server("kept")];
  (await first.listener("http", { port: scene.port, host: "127.0.0.1" })).attach(before);
  (await first.listener("kept", { port: 0, host: "127.0.0.1" })).attach(kept);
  await first.ready();
  const second = await open();
  const listener = await second.listener("http", { port: scene.port, host: "127.0.0.1" });
  listener.attach(server("second"));
  (await second.listener("kept", { port: 0, host: "127.0.0.1" })).attach(server("second"));
  await second.ready();
  listener.close();
  while (!(await refused(scene.port))) await sleep(20);
  await second.close();
  (await first.listener("http", { port: scene.port, host: "127.0.0.1" })).attach(server("after"));
  expect(await ask(scene.port, false, "x")).toBe("after");
  const other = await first.listener("other", { port: 0, host: "127.0.0.1" });
  other.attach(before);
  expect(await ask(other.address.port, false, "x")).toBe("before");
});
