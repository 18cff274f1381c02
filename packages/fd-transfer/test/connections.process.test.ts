// SPDX-License-Identifier: Apache-2.0
// Established connections that the application declares movable: the same connection for ever, no line lost.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Boundary } from "./fixtures/crash-moves.ts";
import { BOUNDARIES, diesWhileConnectionsMove } from "./fixtures/crash-moves.ts";
import type { FixtureProcess } from "./fixtures/fixture-process.ts";
import { Scene } from "./fixtures/fixture-process.ts";
import { LineClients } from "./fixtures/line-clients.ts";
import { twoAtATime } from "./fixtures/two-at-a-time.ts";

const QUICK = { TIMEOUTS: JSON.stringify({ guardMs: 50, backOffMs: 100 }) };

async function serve(scene: Scene, version: string, env: NodeJS.ProcessEnv = {}): Promise<FixtureProcess> {
  const process = scene.start(version, { ...QUICK, ...env }, "lines.ts");
  await process.says("ready");
  return process;
}

test("300 connections go through four generations: no line lost, order and content right, none closed", async () => {
  await using scene = await Scene.open();
  let before = await serve(scene, "v1");
  const clients = await LineClients.open(scene.port, 300);
  clients.start(50);
  await clients.allAnsweredBy("v1");
  for (const version of ["v2", "v3", "v4"]) {
    const next = await serve(scene, version);
    expect((await before.says("drained"))["args"]).toMatchObject([
      { connections: 300, moved: 300, closed: 0, reset: 0 },
    ]);
    await clients.allAnsweredBy(version);
    before.kill("SIGTERM");
    expect(await before.exited).toEqual({ code: 0, signal: null });
    before = next;
  }
  await clients.pause();
  expect(clients.wrong).toEqual([]);
  expect(clients.answered).toBe(clients.sent);
  clients.close();
});

test("an application that cannot pack one connection keeps that one, and is told; all others move", async () => {
  await using scene = await Scene.open();
  const first = await serve(scene, "v1", { TROUBLE: "throws" });
  const clients = await LineClients.open(scene.port, 50);
  clients.start(50);
  await clients.allAnsweredBy("v1");
  await serve(scene, "v2");
  expect((await first.says("connectionLost"))["args"]).toEqual([
    { key: "own/lines", reason: "Error: cannot be packed" },
  ]);
  while (clients.answeredBy("v2") < 49) await sleep(20);
  await clients.pause();
  expect(clients.wrong).toEqual([]);
  expect(clients.answered).toBe(clients.sent);
  expect(clients.answeredBy("v2")).toBe(49);
  clients.close();
});

test("no descriptor is free in the middle of a batch: nobody is lost, and all move when there is one", async () => {
  await using scene = await Scene.open();
  const first = await serve(scene, "v1", { TROUBLE: "full", NOFILE: "300" });
  const clients = await LineClients.open(scene.port, 50);
  clients.start(50);
  await clients.allAnsweredBy("v1");
  await serve(scene, "v2");
  expect((await first.says("full"))["held"]).toBeGreaterThan(0);
  expect((await first.says("drained"))["args"]).toMatchObject([{ connections: 50, moved: 50, closed: 0, reset: 0 }]);
  await clients.allAnsweredBy("v2");
  await clients.pause();
  expect(clients.wrong).toEqual([]);
  expect(clients.answered).toBe(clients.sent);
  clients.close();
});

test("TERM to the owner: its connections go back to the standby that owns again", async () => {
  await using scene = await Scene.open();
  await serve(scene, "v1");
  const clients = await LineClients.open(scene.port, 50);
  clients.start();
  const second = await serve(scene, "v2");
  await clients.allAnsweredBy("v2");
  second.kill("SIGTERM");
  expect(await second.exited).toEqual({ code: 0, signal: null });
  expect((await second.says("drained"))["args"]).toMatchObject([{ moved: 50, closed: 0, reset: 0 }]);
  await clients.allAnsweredBy("v1");
  await clients.pause();
  expect(clients.wrong).toEqual([]);
  clients.close();
});

test("the owner hangs with connections on their way: they wait, and are served by one process when it wakes up", async () => {
  await using scene = await Scene.open();
  await serve(scene, "v1");
  const clients = await LineClients.open(scene.port, 50);
  clients.start();
  const second = await serve(scene, "v2", { FAULT: "STOP before-handle CONN" });
  await second.says("fault");
  // It says so a moment before it stops.
  while (!/^State:\tT/m.test(readFileSync(`/proc/${second.child.pid}/status`, "utf8"))) await sleep(5);
  second.kill("SIGCONT");
  await clients.allAnsweredBy("v2");
  await clients.pause();
  expect(clients.wrong).toEqual([]);
  clients.close();
});

test("a new version that does not declare them: they stay and are served by the old process", async () => {
  await using scene = await Scene.open();
  const first = await serve(scene, "v1");
  const clients = await LineClients.open(scene.port, 5);
  clients.start();
  await serve(scene, "v2", { DECLARES: "no" });
  await first.says("role");
  await clients.pause();
  expect(clients.wrong).toEqual([]);
  expect(first.has("drained")).toBe(false);
  clients.close();
  expect((await first.says("drained"))["args"]).toMatchObject([{ connections: 5, moved: 0, closed: 5, reset: 0 }]);
});

test.concurrent.each(BOUNDARIES)(
  "%s dies %s: the connections on their way %s",
  twoAtATime(async (...boundary: Boundary) => diesWhileConnectionsMove(boundary)),
);
