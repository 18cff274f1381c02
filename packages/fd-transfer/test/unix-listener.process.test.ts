// SPDX-License-Identifier: Apache-2.0
// Unix listeners: the path leads to the same socket all the time, whoever starts, leaves or dies.
import { createConnection, createServer } from "node:net";
import { once } from "node:events";
import { chmodSync, lstatSync, writeFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { FixtureProcess } from "./fixtures/fixture-process.ts";
import { Scene } from "./fixtures/fixture-process.ts";
import { askOnPath, PathLoad } from "./fixtures/path-load.ts";

const socketOf = (scene: Scene): string => join(scene.folder, "app.sock");

function start(scene: Scene, version: string): FixtureProcess {
  return scene.start(version, { SOCKET: socketOf(scene) }, "on-path.ts");
}

async function serve(scene: Scene, version: string): Promise<FixtureProcess> {
  const process = start(scene, version);
  await process.says("ready");
  return process;
}

test("three generations, a take-back and a kill under load: one socket, one path, nothing fails", async () => {
  await using scene = await Scene.open();
  const path = socketOf(scene);
  const first = await serve(scene, "v1");
  const { cookie } = await first.says("ready");
  const { ino, mode } = lstatSync(path);
  expect(mode & 0o777).toBe(0o640);
  const load = new PathLoad(path);
  const second = await serve(scene, "v2");
  expect(await second.says("ready")).toMatchObject({ cookie, inherited: true, address: { path } });
  await load.answeredBy("v2");
  first.kill("SIGTERM");
  await first.exited;
  const third = await serve(scene, "v3");
  expect(await third.says("ready")).toMatchObject({ cookie, inherited: true });
  await load.answeredBy("v3");
  let mark = second.said.length;
  third.kill("SIGTERM");
  await third.exited;
  await second.says("owner", mark);
  await load.answeredBy("v2");
  const fourth = await serve(scene, "v4");
  await load.answeredBy("v4");
  await load.stop();
  expect(load.failures).toEqual([]);
  mark = second.said.length;
  await fourth.end();
  await second.says("owner", mark);
  expect(await askOnPath(path)).toBe("v2");
  expect(lstatSync(path).ino).toBe(ino);
});

test("a path that is left over is replaced; its socket never was the one that listens", async () => {
  await using scene = await Scene.open();
  const first = await serve(scene, "v1");
  await first.end();
  await expect(askOnPath(socketOf(scene))).rejects.toMatchObject({ code: "ECONNREFUSED" });
  expect(await (await serve(scene, "v2")).says("ready")).toMatchObject({ role: "fresh", inherited: false });
  expect(await askOnPath(socketOf(scene))).toBe("v2");
});

test("a path on which somebody else listens is left alone, until that one is gone", async () => {
  await using scene = await Scene.open();
  const other = createServer((socket) => socket.end("other")).listen(socketOf(scene));
  await once(other, "listening");
  const process = start(scene, "v1");
  // R11: it closes L and looks again, as with a port that is taken.
  await sleep(1_000);
  expect(process.has("ready") || process.has("failed")).toBe(false);
  const client = createConnection(socketOf(scene));
  expect(String((await once(client, "data"))[0])).toBe("other");
  await new Promise((resolve) => other.close(resolve));
  await process.says("ready");
  expect(await askOnPath(socketOf(scene))).toBe("v1");
});

test("what is no socket is never replaced", async () => {
  await using scene = await Scene.open();
  writeFileSync(socketOf(scene), "mine");
  const process = start(scene, "v1");
  await sleep(1_000);
  expect(process.has("ready")).toBe(false);
  expect(readFileSync(socketOf(scene), "utf8")).toBe("mine");
});

test.skipIf(process.geteuid?.() === 0)("a folder that cannot be written is an error with its cause", async () => {
  await using scene = await Scene.open();
  chmodSync(scene.folder, 0o500);
  const process = start(scene, "v1");
  expect(await process.says("failed")).toMatchObject({ code: "HOT4014" });
});
