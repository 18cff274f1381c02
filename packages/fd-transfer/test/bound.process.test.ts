// SPDX-License-Identifier: Apache-2.0
// A listener that came from elsewhere: the hand-off goes on with that very socket.
import { renameSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { HotHandoff } from "../src/handoff.ts";
import type { ListenOptions } from "../src/listener.ts";
import { loadNative } from "../src/native/addon.ts";
import { Scene } from "./fixtures/fixture-process.ts";
import { ask } from "./fixtures/load.ts";
import { askOnPath } from "./fixtures/path-load.ts";

const native = loadNative();
const open = async (scene: Scene): Promise<HotHandoff> =>
  HotHandoff.open({ name: "fixture", dir: scene.dir, env: {}, timeouts: { guardMs: 20 } });

function server(): ReturnType<typeof createServer> {
  return createServer((_, response) => response.setHeader("x-version", "here").end("x"));
}

test("a TCP listener of elsewhere is served, with what waited in its queue, and passed on", async () => {
  await using scene = await Scene.open();
  const bound = native.listenTcp("127.0.0.1", scene.port, { backlog: 10 });
  const { cookie } = native.socketInfo(bound);
  const waits = ask(scene.port, false, "x", "/early");
  await using hot = await open(scene);
  const listener = await hot.listener("http", { port: scene.port, host: "127.0.0.1", bound });
  expect(listener).toMatchObject({ cookie, inherited: false });
  listener.attach(server());
  await hot.ready();
  expect(await waits).toBe("here");
  const next = await scene.ready("v2");
  expect(await next.says("ready")).toMatchObject({ cookie: String(cookie), role: "successor" });
});

test("a Unix listener that was bound under another name", async () => {
  await using scene = await Scene.open();
  const [path, other] = [join(scene.folder, "app.sock"), join(scene.folder, "app.sock.17.tmp")];
  const bound = native.listenUnix(other, 10, 0o600);
  renameSync(other, path);
  await using hot = await open(scene);
  (await hot.listener("http", { path, bound })).attach(server());
  await hot.ready();
  expect(await askOnPath(path)).toBe("here");
});

test("one that was passed on takes its place, and it is closed", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const bound = native.listenTcp("127.0.0.1", 0, { backlog: 10 });
  await using hot = await open(scene);
  const listener = await hot.listener("http", { port: 0, host: "127.0.0.1", bound });
  expect(String(listener.cookie)).toBe((await first.says("ready"))["cookie"]);
  expect(native.isOpen(bound)).toBe(false);
});

test("what is no listener there is refused, and stays the caller's", async () => {
  await using scene = await Scene.open();
  await using hot = await open(scene);
  const elsewhere = native.listenTcp("127.0.0.1", 0, { backlog: 10 });
  const datagram = native.bindUdp("127.0.0.1", 0, { receiveBytes: 0 });
  const cases: ListenOptions[] = [
    { port: scene.port, host: "127.0.0.1", bound: elsewhere },
    { port: 0, host: "127.0.0.1", bound: datagram },
    { path: join(scene.folder, "s"), bound: elsewhere },
    { port: 0, host: "127.0.0.1", bound: 1_000_000 },
  ];
  for (const options of cases) {
    await expect(hot.listener("http", options as { port: number })).rejects.toMatchObject({ code: "HOT4014" });
  }
  for (const fd of [elsewhere, datagram]) native.close(fd);
});

test("what is given for a key that is taken, or to a hand-off that is closed, stays the caller's", async () => {
  await using scene = await Scene.open();
  const hot = await open(scene);
  const bound = native.listenTcp("127.0.0.1", 0, { backlog: 10 });
  const asked = { port: 0, host: "127.0.0.1", bound };
  await hot.listener("http", { port: 0, host: "127.0.0.1" });
  await expect(hot.listener("http", asked)).rejects.toMatchObject({ code: "HOT4014" });
  expect(native.isOpen(bound)).toBe(true);
  await hot.close();
  await expect(hot.listener("more", asked)).rejects.toMatchObject({ code: "HOT4013" });
  expect(native.isOpen(bound)).toBe(true);
  native.close(bound);
});
