// SPDX-License-Identifier: Apache-2.0
// The receipt, asked as the readinessProbe asks it. Yes: owns and accepts, or somebody newer does because of it.
import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import { createConnection, createServer as createTcpServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Timeouts } from "../src/protocol/limits.ts";
import { HotHandoff } from "../src/handoff.ts";
import { askProbe } from "./fixtures/ask-probe.ts";
import { Scene, versions } from "./fixtures/fixture-process.ts";

/** One side of a pair with the env that the SidecarSet gives it; it has not said that it is ready. */
async function open(scene: Scene, own: number, other: number, timeouts: Partial<Timeouts> = {}): Promise<HotHandoff> {
  const env = { HOT_DIR: scene.dir, ...versions(own, other) } as Record<string, string>;
  return HotHandoff.open({ name: "receipt", env, timeouts: { guardMs: 20, ...timeouts } });
}

const quick: RequestListener = (_, response) => void response.end("ok");

async function attach(hot: HotHandoff, port: number, handler: RequestListener = quick): Promise<void> {
  const server = createServer(handler);
  (await hot.listener("http", { port, host: "127.0.0.1" })).attach(server);
}

async function serving(scene: Scene, own: number, other: number, handler?: RequestListener): Promise<HotHandoff> {
  const hot = await open(scene, own, other);
  await attach(hot, scene.port, handler);
  await hot.ready();
  return hot;
}

/** A request that is never answered. */
async function hang(port: number): Promise<void> {
  const socket = createConnection(port, "127.0.0.1").on("error", () => undefined);
  await once(socket, "connect");
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

test("a cold start says no until it accepts", async () => {
  await using scene = await Scene.open();
  await using hot = await open(scene, 5, 0);
  expect(await askProbe(scene.dir, 5)).toMatch(/^-/);
  await attach(hot, scene.port);
  expect(await askProbe(scene.dir, 5)).toMatch(/^-/);
  await hot.ready();
  expect(await askProbe(scene.dir, 5)).toMatch(/^\+/);
});

test("an owner whose server was closed by the program itself says no: nobody accepts", async () => {
  await using scene = await Scene.open();
  await using hot = await open(scene, 5, 0);
  const server = createServer(quick);
  (await hot.listener("http", { port: scene.port, host: "127.0.0.1" })).attach(server);
  await hot.ready();
  server.close();
  expect(await askProbe(scene.dir, 5)).toMatch(/^-.*http/);
  // The next version takes the same socket over and serves what has queued up.
  await using next = await serving(scene, 7, 5);
  expect(next.isOwner).toBe(true);
  expect(await askProbe(scene.dir, 7)).toMatch(/^\+/);
  expect(await askProbe(scene.dir, 5)).toMatch(/^\+/);
});

test("a cold start whose port is taken says no", async () => {
  await using scene = await Scene.open();
  const blocker = createTcpServer().listen(scene.port, "127.0.0.1");
  await once(blocker, "listening");
  await using hot = await open(scene, 5, 0, { backOffMs: 20 });
  const pending = attach(hot, scene.port);
  pending.catch(() => undefined);
  for (let tries = 0; tries < 2; tries++) {
    await once(hot.events, "retry");
    expect(await askProbe(scene.dir, 5)).toMatch(/^-/);
  }
  blocker.close();
  await pending;
});

test("a chain of upgrades: the side that took over last time stays ready when it hands over itself", async () => {
  await using scene = await Scene.open();
  await using _ = await serving(scene, 5, 0);
  await using second = await serving(scene, 7, 5);
  expect([await askProbe(scene.dir, 5), await askProbe(scene.dir, 7)]).toEqual([
    expect.stringMatching(/^\+/),
    expect.stringMatching(/^\+/),
  ]);
  const standby = once(second.events, "role");
  await using third = await serving(scene, 9, 7);
  await standby;
  expect(third.isOwner).toBe(true);
  expect(await askProbe(scene.dir, 9)).toMatch(/^\+/);
  expect(await askProbe(scene.dir, 7)).toMatch(/^\+/);
  // Released by the second, the first looks for the third and stands by behind it.
  while (!(await askProbe(scene.dir, 5)).startsWith("+")) await sleep(5);
});

test("the old side stays ready during the guard, the new one is not yet", async () => {
  await using scene = await Scene.open();
  await using old = await serving(scene, 5, 0);
  await using hot = await open(scene, 7, 5, { guardMs: 500 });
  await attach(hot, scene.port);
  const committed = once(hot.events, "committed");
  const ready = hot.ready();
  await committed;
  expect(old.isOwner).toBe(false);
  expect([await askProbe(scene.dir, 5), await askProbe(scene.dir, 7)]).toEqual([
    expect.stringMatching(/^\+/),
    expect.stringMatching(/^-/),
  ]);
  await ready;
});

test("standing by behind a newer owner is yes; when that one has gone it is no until this one accepts", async () => {
  await using scene = await Scene.open();
  const newer = await serving(scene, 7, 5);
  await using older = await open(scene, 5, 7);
  expect(older.role).toBe("standby");
  expect(await askProbe(scene.dir, 5)).toMatch(/^\+/);
  const alone = once(older.events, "role");
  await newer.close();
  await alone;
  expect(await askProbe(scene.dir, 5)).toMatch(/^-/);
  await attach(older, scene.port);
  await older.ready();
  expect(await askProbe(scene.dir, 5)).toMatch(/^\+/);
});

test("a side that failed the guard says no, the one that took back says yes", async () => {
  await using scene = await Scene.open();
  await using old = await serving(scene, 5, 0);
  await using hot = await open(scene, 7, 5);
  await attach(hot, scene.port);
  let probes = 0;
  const probe = async (): Promise<void> => {
    if (++probes > 1) throw new Error("unwell");
  };
  await expect(hot.ready({ probe })).rejects.toMatchObject({ code: "HOT4007" });
  while (!old.isOwner) await sleep(5);
  expect([await askProbe(scene.dir, 5), await askProbe(scene.dir, 7)]).toEqual([
    expect.stringMatching(/^\+/),
    expect.stringMatching(/^-/),
  ]);
});

test("draining after the hand-over is yes, the drain of a lone owner is no: nobody accepts there", async () => {
  await using scene = await Scene.open();
  const first = await serving(scene, 5, 0, () => undefined);
  await hang(scene.port);
  await hang(scene.port);
  const standby = once(first.events, "role");
  const second = await serving(scene, 7, 5, () => undefined);
  await standby;
  await hang(scene.port);
  const firstEnds = first.terminate({ graceMs: 1_500 });
  await sleep(100);
  expect(await askProbe(scene.dir, 5)).toMatch(/^\+drains/);
  await firstEnds;
  const secondEnds = second.terminate({ graceMs: 2_000, drainMs: 1_000 });
  expect(await askProbe(scene.dir, 7)).toMatch(/^\+/);
  while ((await askProbe(scene.dir, 7)).startsWith("+")) await sleep(20);
  await secondEnds;
});
