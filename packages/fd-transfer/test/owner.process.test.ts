// SPDX-License-Identifier: Apache-2.0
// What an owner keeps in order, and what stands in the way of a cold start.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { HotHandoff } from "../src/handoff.ts";
import { loadNative } from "../src/native/addon.ts";
import { Scene, versions } from "./fixtures/fixture-process.ts";
import { ask, Load } from "./fixtures/load.ts";

async function serve(scene: Scene): Promise<HotHandoff> {
  const timeouts = { guardMs: 20, backOffMs: 20 };
  const hot = await HotHandoff.open({ name: "a", dir: scene.dir, env: {}, timeouts });
  const server = createServer((_, response) => response.setHeader("x-version", "a").end("x"));
  (await hot.listener("http", { port: scene.port, host: "127.0.0.1" })).attach(server);
  await hot.ready();
  return hot;
}

test("R12: an owner.sock that was removed is published again, and the upgrade goes on", async () => {
  await using scene = await Scene.open();
  await scene.ready("v1");
  const path = join(scene.dir, "owner.sock");
  rmSync(path);
  while (!existsSync(path)) await sleep(50);
  expect(await (await scene.ready("v2")).says("ready")).toMatchObject({ role: "successor" });
});

test("R12: an owner.sock that was replaced by something else is replaced again", async () => {
  await using scene = await Scene.open();
  await scene.ready("v1");
  const path = join(scene.dir, "owner.sock");
  rmSync(path);
  writeFileSync(path, "");
  while (!statSync(path).isSocket()) await sleep(50);
  expect(await (await scene.ready("v2")).says("ready")).toMatchObject({ role: "successor" });
});

test("R12: temporary sockets of lower epochs are removed, nothing else", async () => {
  await using scene = await Scene.open();
  await scene.ready("v1");
  writeFileSync(join(scene.dir, "owner.7.tmp"), "");
  writeFileSync(join(scene.dir, "other"), "");
  await scene.ready("v2");
  expect(readdirSync(scene.dir).sort()).toEqual(["lock", "other", "owner.sock", "probe.0.sock"]);
});

test("an owner whose whole directory is removed serves on, and says what is wrong", async () => {
  await using scene = await Scene.open();
  const only = await scene.ready("v1");
  rmSync(scene.dir, { recursive: true });
  expect(JSON.stringify(await only.says("retry"))).toContain("owner.sock cannot be published");
  expect(await ask(scene.port, false, "x")).toBe("v1");
});

test("a process that starts after that takes over, and epochs go on", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const { epoch, cookie } = await first.says("ready");
  rmSync(scene.dir, { recursive: true });
  const second = await scene.ready("v2");
  const ready = await second.says("ready");
  expect(ready).toMatchObject({ cookie, role: "successor" });
  expect(BigInt(String(ready["epoch"]))).toBeGreaterThan(BigInt(String(epoch)));
  const mark = first.said.length;
  await second.end();
  await first.says("owner", mark);
  expect(await ask(scene.port, false, "x")).toBe("v1");
});

test("R11: a stale owner.sock of a dead owner is no owner: cold start", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  await first.end();
  expect(existsSync(join(scene.dir, "owner.sock"))).toBe(true);
  expect(await (await scene.ready("v2")).says("ready")).toMatchObject({ role: "fresh" });
});

test("R11: of many that start at once one binds, and the newest owns in the end", async () => {
  await using scene = await Scene.open();
  const all = [1, 2, 3, 4].map((number) => scene.start(`v${number}`, versions(number, 9)));
  await all[3]!.says("ready");
  const load = new Load(scene.port);
  await load.answeredBy("v4", 50);
  const report = await load.stop();
  expect(report.failures).toEqual([]);
});

test("R11: a taken address: it gives L back, says so, and binds when the address is free", async () => {
  await using scene = await Scene.open();
  const blocker = createTcpServer().listen(scene.port, "127.0.0.1");
  await once(blocker, "listening");
  const only = scene.start("v1");
  const retry = await only.says("retry");
  expect(JSON.stringify(retry["args"])).toContain("HOT4010");
  blocker.close();
  await only.says("ready");
  expect(await ask(scene.port, false, "x")).toBe("v1");
});

test("R10: an owner that is told to stop hands over to an older process that stands by; nothing fails", async () => {
  await using scene = await Scene.open();
  const newer = await scene.ready("v2", versions(7, 5));
  const older = scene.start("v1", versions(5, 7));
  await older.says("open");
  const load = new Load(scene.port);
  await load.answeredBy("v2");
  newer.kill("SIGTERM");
  expect(await older.says("ready")).toMatchObject({ cookie: (await newer.says("ready"))["cookie"] });
  expect(await newer.exited).toEqual({ code: 0, signal: null });
  await load.answeredBy("v1");
  expect((await load.stop()).failures).toEqual([]);
});

test("the signal is aborted and isOwner is false when ownership has passed on; both again after a return", async () => {
  await using scene = await Scene.open();
  const open = async (): Promise<HotHandoff> => {
    const hot = await HotHandoff.open({ name: "a", dir: scene.dir, env: {}, timeouts: { guardMs: 20 } });
    (await hot.listener("http", { port: scene.port, host: "127.0.0.1" })).attach(createServer());
    await hot.ready();
    return hot;
  };
  await using first = await open();
  const { epoch, signal } = first;
  expect([first.isOwner, signal.aborted]).toEqual([true, false]);
  const passed = once(first.events, "role");
  const second = await open();
  await passed;
  expect([first.isOwner, signal.aborted, first.role]).toEqual([false, true, "standby"]);
  expect([second.isOwner, second.signal.aborted, second.epoch > epoch]).toEqual([true, false, true]);
  const returned = once(first.events, "owner");
  const last = second.epoch;
  await second.close();
  await returned;
  expect([first.isOwner, first.signal.aborted, first.epoch > last]).toEqual([true, false, true]);
  expect([second.isOwner, second.signal.aborted]).toEqual([false, true]);
});

test("a listener that another address is asked for is not taken over: bound anew, the old one is closed", async () => {
  await using scene = await Scene.open();
  await scene.ready("v1");
  const free = scene.port;
  await using hot = await HotHandoff.open({ name: "fixture", dir: scene.dir, env: {} });
  const http = await hot.listener("http", { port: 0, host: "127.0.0.2" });
  http.attach(createServer());
  expect(http.inherited).toBe(false);
  expect(http.address.host).toBe("127.0.0.2");
  await hot.ready();
  expect(http.address.port).not.toBe(free);
});

test("a listener that is asked for with another host on the same port is refused by name; the old process serves on", async () => {
  await using scene = await Scene.open();
  await scene.ready("v1");
  await using hot = await HotHandoff.open({ name: "fixture", dir: scene.dir, env: {} });
  const asked = hot.listener("http", { port: scene.port, host: "0.0.0.0" });
  await expect(asked).rejects.toMatchObject({
    code: "HOT4011",
    message: expect.stringMatching(/\[0\.0\.0\.0\]:\d+.*127\.0\.0\.1/) as string,
  });
  expect(await ask(scene.port, false, "x")).toBe("v1");
});

test("a listener without a server, and a second one of one key, are refused", async () => {
  await using scene = await Scene.open();
  await using hot = await HotHandoff.open({ name: "a", dir: scene.dir, env: {} });
  const http = await hot.listener("http", { port: 0, host: "127.0.0.1" });
  await expect(hot.listener("http", { port: 0 })).rejects.toMatchObject({ code: "HOT4014" });
  await expect(hot.ready()).rejects.toMatchObject({ code: "HOT4014" });
  http.attach(createServer());
  await hot.ready();
});

test("a probe that fails with a page of text calls it off like any other; the owner serves on, and the next attempt works", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  await using hot = await HotHandoff.open({ name: "fixture", dir: scene.dir, env: {} });
  (await hot.listener("http", { port: scene.port, host: "127.0.0.1" })).attach(createServer());
  const page = "<p>unwell</p>".repeat(1000);
  const probe = async (): Promise<void> => {
    throw new Error(page);
  };
  await expect(hot.ready({ probe })).rejects.toMatchObject({ code: "HOT4007", rolledBack: true });
  await first.says("rollback");
  expect(await ask(scene.port, false, "x")).toBe("v1");
  await hot.ready();
  expect(hot.isOwner).toBe(true);
});

test("a listener's address is the same however it is written", async () => {
  await using scene = await Scene.open();
  const open = async (host: string, v6only?: boolean): Promise<[HotHandoff, boolean]> => {
    const hot = await HotHandoff.open({ name: "a", dir: scene.dir, env: {}, timeouts: { guardMs: 20 } });
    const slot = await hot.listener("http", { port: scene.port, host, ...(v6only === undefined ? {} : { v6only }) });
    slot.attach(createServer());
    await hot.ready();
    return [hot, slot.inherited];
  };
  const [first] = await open("::1");
  const [second, inherited] = await open("0:0:0:0:0:0:0:1");
  expect(inherited).toBe(true);
  await first.close();
  await second.close();
  const [third] = await open("127.0.0.1", true);
  const [fourth, again] = await open("127.0.0.1");
  expect(again).toBe(true);
  await third.close();
  await fourth.close();
});

test("ready() twice makes one owner, once", async () => {
  await using scene = await Scene.open();
  await using hot = await HotHandoff.open({ name: "a", dir: scene.dir, env: {} });
  (await hot.listener("http", { port: scene.port, host: "127.0.0.1" })).attach(createServer());
  let owned = 0;
  hot.events.on("owner", () => owned++);
  const probe = async (): Promise<void> => sleep(20);
  await Promise.all([hot.ready({ probe }), hot.ready({ probe })]);
  await sleep(50);
  expect(owned).toBe(1);
});

test("an event listener that throws is an uncaught error, and disturbs no hand-over", async () => {
  await using scene = await Scene.open();
  await using first = await serve(scene);
  const thrown: unknown[] = [];
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => thrown.push(error));
  try {
    const fail = (hot: HotHandoff, ...names: ("handoff" | "role" | "draining" | "committed" | "owner")[]): void => {
      for (const name of names) {
        hot.events.on(name, () => {
          throw new Error(name);
        });
      }
    };
    fail(first, "handoff", "role", "draining");
    await using second = await HotHandoff.open({ name: "a", dir: scene.dir, env: {}, timeouts: { guardMs: 20 } });
    fail(second, "committed", "owner");
    (await second.listener("http", { port: scene.port, host: "127.0.0.1" })).attach(createServer());
    await second.ready();
    while (thrown.length < 5) await sleep(5);
    expect(thrown.map((error) => (error as Error).message).sort()).toEqual([
      "committed",
      "draining",
      "handoff",
      "owner",
      "role",
    ]);
    expect([first.isOwner, second.isOwner, first.role]).toEqual([false, true, "standby"]);
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const listener of before) process.on("uncaughtException", listener);
  }
});

test("close() within an event: of the new side in the guard, and of the old one that is asked", async () => {
  await using scene = await Scene.open();
  await using first = await serve(scene);
  const second = await HotHandoff.open({ name: "a", dir: scene.dir, env: {}, timeouts: { guardMs: 20 } });
  second.events.once("committed", () => void second.close());
  (await second.listener("http", { port: scene.port, host: "127.0.0.1" })).attach(createServer());
  await expect(second.ready()).rejects.toMatchObject({ code: "HOT4013" });
  while (!first.isOwner) await sleep(5);
  const asked = once(first.events, "handoff");
  first.events.once("handoff", () => void first.close());
  const third = serve(scene);
  await asked;
  await using owner = await third;
  expect(owner.isOwner).toBe(true);
  expect(await ask(scene.port, false, "x", "/any")).toBeDefined();
});

test("close() rejects what is pending", async () => {
  await using scene = await Scene.open();
  await scene.ready("v2", versions(7, 5));
  const hot = await HotHandoff.open({ name: "fixture", dir: scene.dir, env: { SIDECARSET_VERSION: "5" } });
  expect(hot.role).toBe("standby");
  const pending = hot.listener("http", { port: scene.port });
  const ready = hot.ready();
  await hot.close();
  await expect(pending).rejects.toMatchObject({ code: "HOT4013" });
  await expect(ready).rejects.toMatchObject({ code: "HOT4013" });
});

test("the wrong token and the wrong name are refused, the owner serves on", async () => {
  await using scene = await Scene.open();
  await using hot = await HotHandoff.open({ name: "a", dir: scene.dir, token: "secret", env: {} });
  (await hot.listener("http", { port: scene.port, host: "127.0.0.1" })).attach(createServer());
  await hot.ready();
  const env = {};
  await expect(HotHandoff.open({ name: "a", dir: scene.dir, token: "guess", env })).rejects.toMatchObject({
    code: "HOT4005",
  });
  await expect(HotHandoff.open({ name: "b", dir: scene.dir, token: "secret", env })).rejects.toMatchObject({
    code: "HOT4005",
  });
  await using next = await HotHandoff.open({ name: "a", dir: scene.dir, token: "secret", env });
  expect(next.role).toBe("successor");
  expect(hot.isOwner).toBe(true);
});

test.runIf(existsSync("/usr/bin/perl"))(
  "a shutdown() of the shared listener by anybody is noticed and repaired",
  async () => {
    await using scene = await Scene.open();
    await using hot = await HotHandoff.open({ name: "a", dir: scene.dir, env: {} });
    const http = await hot.listener("http", { port: scene.port, host: "127.0.0.1" });
    const server = createServer((_, response) => response.setHeader("x-version", "a").end("x"));
    http.attach(server);
    await hot.ready();
    const repaired = once(hot.events, "listenerDead");
    const native = loadNative();
    const shared = native.dup((http as unknown as { fd: number }).fd);
    const stdio = ["ignore", "inherit", "inherit", shared] as const;
    spawnSync("/usr/bin/perl", ["-e", 'open(my $s, "+<&=", 3) or die; shutdown($s, 0) or die;'], { stdio: [...stdio] });
    native.close(shared);
    expect(await repaired).toEqual(["http"]);
    expect(await ask(scene.port, false, "x")).toBe("a");
  },
);
