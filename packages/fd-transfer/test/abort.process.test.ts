// SPDX-License-Identifier: Apache-2.0
// AbortSignal where there is a wait: open, ready, drain.
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:http";
import { createConnection } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { HotHandoff } from "../src/handoff.ts";
import { Scene, versions } from "./fixtures/fixture-process.ts";
import { ask } from "./fixtures/load.ts";

const REASON = new Error("changed my mind");

async function open(scene: Scene, signal?: AbortSignal): Promise<HotHandoff> {
  const timeouts = { guardMs: 500, backOffMs: 20, connectMs: 10_000 };
  return HotHandoff.open({ name: "fixture", dir: scene.dir, env: {}, timeouts, ...(signal ? { signal } : {}) });
}

async function listen(hot: HotHandoff, port: number): Promise<void> {
  const listener = await hot.listener("http", { port, host: "127.0.0.1" });
  listener.attach(createServer((_, response) => response.setHeader("x-version", "here").end("x")));
}

test("open: an owner that hangs is waited for until the signal, and nothing is left behind", async () => {
  await using scene = await Scene.open();
  const owner = await scene.ready("v1");
  owner.kill("SIGSTOP");
  const before = readdirSync("/proc/self/fd").length;
  const abort = new AbortController();
  const opened = open(scene, abort.signal);
  setTimeout(() => abort.abort(REASON), 300);
  await expect(opened).rejects.toBe(REASON);
  await expect(open(scene, abort.signal)).rejects.toBe(REASON);
  expect(readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(before);
  owner.kill("SIGCONT");
  expect(await ask(scene.port, false, "x")).toBe("v1");
});

test.each(["probe", "committed"] as const)(
  "ready: taken back at %s: the attempt is called off, the old process serves, and the next ready() works",
  async (when) => {
    await using scene = await Scene.open();
    const first = await scene.ready("v1");
    const abort = new AbortController();
    await using hot = await open(scene);
    await listen(hot, scene.port);
    if (when === "committed") hot.events.once("committed", () => abort.abort(REASON));
    const probe = async (): Promise<void> => {
      if (when === "probe") setImmediate(() => abort.abort(REASON));
      await sleep(50);
    };
    await expect(hot.ready({ probe, signal: abort.signal })).rejects.toBe(REASON);
    expect((await first.says("rollback"))["args"]).toMatchObject([{ how: when === "probe" ? "aborted" : "rolled" }]);
    expect(hot.isOwner).toBe(false);
    expect(await ask(scene.port, false, "x")).toBe("v1");
    await hot.ready();
    expect(hot.isOwner).toBe(true);
    expect(await ask(scene.port, false, "x", "/any")).toBe("here");
  },
);

test("ready: a process that stands by stops waiting, and still hears when it is needed", async () => {
  await using scene = await Scene.open();
  const owner = await scene.ready("v2", versions(7, 5));
  const abort = new AbortController();
  await using hot = await open(scene);
  const ready = hot.ready({ signal: abort.signal });
  abort.abort(REASON);
  await expect(ready).rejects.toBe(REASON);
  await owner.end();
  await listen(hot, scene.port);
  await hot.ready();
  expect(await ask(scene.port, false, "x", "/any")).toBe("here");
});

test("drain: the wait ends, the connections do not", async () => {
  await using scene = await Scene.open();
  await using hot = await open(scene);
  const server = createServer((_, response) => void response.write("begun"));
  (await hot.listener("http", { port: scene.port, host: "127.0.0.1" })).attach(server);
  await hot.ready();
  const socket = createConnection(scene.port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await once(socket, "data");
  const abort = new AbortController();
  const drained = hot.drain({ deadlineMs: 60_000, signal: abort.signal });
  abort.abort(REASON);
  await expect(drained).rejects.toBe(REASON);
  expect(socket.readyState).toBe("open");
  socket.destroy();
  server.closeAllConnections();
});
