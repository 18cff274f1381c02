// SPDX-License-Identifier: Apache-2.0
// Somebody shuts a shared listener down, or takes the path of a Unix listener away: noticed, repaired, and no busy loop.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, renameSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createRawServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { HotHandoff } from "../src/handoff.ts";
import type { Listener } from "../src/listener.ts";
import { ListenerSlot } from "../src/listener.ts";
import { loadNative } from "../src/native/addon.ts";
import { NativeError } from "../src/native/native-error.ts";
import { Scene } from "./fixtures/fixture-process.ts";
import { askOnPath } from "./fixtures/path-load.ts";
import { folder } from "./native/descriptors.ts";

const canShutDown = existsSync("/usr/bin/perl");

/** Another process that has got the same socket. */
function shutDown(listener: object): void {
  const native = loadNative();
  const shared = native.dup((listener as { fd: number }).fd);
  const stdio = ["ignore", "inherit", "inherit", shared] as const;
  spawnSync("/usr/bin/perl", ["-e", 'open(my $s, "+<&=", 3) or die; shutdown($s, 0) or die;'], { stdio: [...stdio] });
  native.close(shared);
}

async function serve(scene: Scene, path: string): Promise<[HotHandoff, Listener<{ path: string }>]> {
  const timeouts = { guardMs: 20, backOffMs: 20 };
  const hot = await HotHandoff.open({ name: "a", dir: scene.dir, env: {}, timeouts });
  const listener = await hot.listener("http", { path });
  listener.attach(createServer((request, response) => request.pipe(response.setHeader("x-version", "a"))));
  await hot.ready();
  return [hot, listener];
}

test.runIf(canShutDown)(
  "a Unix listener that was shut down is replaced under its path, without a busy loop",
  async () => {
    await using scene = await Scene.open();
    const path = join(scene.folder, "app.sock");
    const [hot, listener] = await serve(scene, path);
    await using _ = hot;
    const { cookie } = listener;
    const dead = once(hot.events, "listenerDead");
    shutDown(listener);
    await expect(askOnPath(path)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    expect(await dead).toEqual(["http"]);
    expect(await askOnPath(path)).toBe("a");
    expect(listener.cookie).not.toBe(cookie);
    // Node does not notice by itself, and would go round for ever on the dead socket.
    const before = process.cpuUsage();
    await sleep(1_000);
    const { user, system } = process.cpuUsage(before);
    expect(user + system).toBeLessThan(300_000);
  },
);

test("a path that was removed leads to a socket again; who was queued is served, and the upgrade goes on", async () => {
  await using scene = await Scene.open();
  const path = join(scene.folder, "app.sock");
  const [first, listener] = await serve(scene, path);
  await using _ = first;
  const dead = once(first.events, "listenerDead");
  // In the queue of the socket that is about to lose its path.
  const queued = Array.from({ length: 5 }, async () => askOnPath(path));
  renameSync(path, `${path}.away`);
  expect(await Promise.all(queued)).toEqual(queued.map(() => "a"));
  expect(await dead).toEqual(["http"]);
  expect(await askOnPath(path)).toBe("a");
  const { cookie } = listener;
  const [owner, inherited] = await serve(scene, path);
  await using second = owner;
  expect(inherited).toMatchObject({ cookie, inherited: true });
  expect(second.isOwner).toBe(true);
  expect(await askOnPath(path)).toBe("a");
});

test("the owner has replaced the socket and dies: the standby, whose socket is the lost one, replaces it as well", async () => {
  await using scene = await Scene.open();
  const path = join(scene.folder, "app.sock");
  const start = (version: string): ReturnType<Scene["start"]> => scene.start(version, { SOCKET: path }, "on-path.ts");
  const first = start("v1");
  await first.says("ready");
  const second = start("v2");
  await second.says("ready");
  rmSync(path);
  await second.says("listenerDead");
  expect(await askOnPath(path)).toBe("v2");
  const mark = first.said.length;
  await second.end();
  await first.says("owner", mark);
  expect(await askOnPath(path)).toBe("v1");
});

test("a path that somebody else has taken is left alone, and taken back when that one is gone", async () => {
  await using scene = await Scene.open();
  const path = join(scene.folder, "app.sock");
  const [hot] = await serve(scene, path);
  await using _ = hot;
  rmSync(path);
  const other = createRawServer((socket) => socket.end()).listen(path);
  await once(other, "listening");
  const [retry] = (await once(hot.events, "retry")) as [{ reason: string }];
  expect(retry.reason).toContain("EADDRINUSE");
  const dead = once(hot.events, "listenerDead");
  other.close();
  expect(await dead).toEqual(["http"]);
  expect(await askOnPath(path)).toBe("a");
});

test("one that is replaced without a descriptor to serve it with is served as soon as there is one", async () => {
  const path = join(folder(), "app.sock");
  const server = createRawServer((socket) => socket.end("a"));
  const slot = new ListenerSlot("app", { path }, () => undefined);
  onTestFinished(() => slot.letGo());
  slot.attach(server);
  slot.hold(slot.bind(), null);
  slot.accept();
  const { cookie } = slot;
  rmSync(path);
  const dup = vi.spyOn(loadNative(), "dup").mockImplementationOnce(() => {
    throw new NativeError("EMFILE", 24, "fcntl", "none is left");
  });
  onTestFinished(() => dup.mockRestore());
  expect(slot.repair()).toBe(true);
  expect([slot.cookie, slot.describe().cookie]).toEqual([loadNative().socketInfo(slot.fd).cookie, slot.cookie]);
  expect(slot.cookie).not.toBe(cookie);
  expect(server.listening).toBe(false);
  slot.repair();
  expect(server.listening).toBe(true);
});
