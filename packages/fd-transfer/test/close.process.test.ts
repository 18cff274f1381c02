// SPDX-License-Identifier: Apache-2.0
// A listener that the owner closes on purpose is gone in every process; its connections go on.
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { HotHandoff } from "../src/handoff.ts";
import type { Listener } from "../src/listener.ts";
import { loadNative } from "../src/native/addon.ts";
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

test.each(["before it owns", "during the guard"])(
  "what is closed %s the standby closes too, but not before",
  async (when) => {
    await using scene = await Scene.open();
    const open = async (): Promise<HotHandoff> =>
      HotHandoff.open({ name: "fixture", dir: scene.dir, env: {}, timeouts: { guardMs: 20 } });
    const listen = async (hot: HotHandoff, key: string, port: number): Promise<Listener> => {
      const listener = await hot.listener(key, { port, host: "127.0.0.1" });
      listener.attach(createServer((_, response) => response.setHeader("x-version", key).end("x")));
      return listener;
    };
    await using first = await open();
    await listen(first, "http", scene.port);
    await listen(first, "kept", 0);
    await first.ready();
    await using second = await open();
    const http = await listen(second, "http", scene.port);
    await listen(second, "kept", 0);
    if (when === "before it owns") http.close();
    else second.events.once("committed", () => http.close());
    expect(await ask(scene.port, false, "x")).toBe("http");
    await second.ready();
    while (!(await refused(scene.port))) await sleep(20);
    await second.close();
    expect(await refused(scene.port)).toBe(true);
  },
);

test.each(["close, terminate", "terminate, close"])("%s: nothing goes on after both", async (order) => {
  await using scene = await Scene.open();
  const hot = await HotHandoff.open({ name: "fixture", dir: scene.dir, env: {} });
  const http = await hot.listener("http", { port: scene.port, host: "127.0.0.1" });
  http.attach(createServer((_, response) => response.setHeader("x-version", "v1").end("x")));
  await hot.ready();
  const client = new KeepAliveClient(scene.port);
  await client.ask("x");
  const terminate = async (): Promise<unknown> => hot.terminate({ graceMs: 100 });
  const terminated = order.startsWith("terminate") ? terminate() : null;
  await hot.close();
  const looks = vi.spyOn(loadNative(), "connectSeqpacket");
  onTestFinished(() => looks.mockRestore());
  await (terminated ?? terminate());
  // Whoever owns by then is nobody's business any more.
  expect(looks).not.toHaveBeenCalled();
  client.destroy();
});
