// SPDX-License-Identifier: Apache-2.0
// UDP sockets: one and the same socket, and every datagram of a sender that never stops is answered once.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { expect, test } from "vitest";
import { HotHandoff } from "../src/handoff.ts";
import { Lineage } from "../src/ownership.ts";
import { DatagramLoad } from "./fixtures/datagram-load.ts";
import type { FixtureProcess } from "./fixtures/fixture-process.ts";
import { Scene } from "./fixtures/fixture-process.ts";

async function serve(scene: Scene, version: string): Promise<FixtureProcess> {
  const process = scene.start(version, {}, "datagrams.ts");
  await process.says("ready");
  return process;
}

test("five generations under 10,000 datagrams a second: the same socket, each datagram answered exactly once", async () => {
  await using scene = await Scene.open();
  let before = await serve(scene, "v1");
  const { cookie } = await before.says("ready");
  const load = new DatagramLoad(scene.port);
  await load.answeredBy("v1");
  for (const version of ["v2", "v3", "v4", "v5"]) {
    const next = await serve(scene, version);
    expect(await next.says("ready")).toMatchObject({ cookie, inherited: true });
    await load.answeredBy(version);
    before.kill("SIGTERM");
    expect(await before.exited).toEqual({ code: 0, signal: null });
    before = next;
  }
  await load.answeredBy("v5");
  await load.stop();
  expect(load.lost).toEqual([]);
  expect(load.unexpected).toBe(0);
  expect(load.sent).toBeGreaterThan(10_000);
});

test("TERM to the owner gives back to the standby, which reads on with the socket that it had paused", async () => {
  await using scene = await Scene.open();
  const first = await serve(scene, "v1");
  const load = new DatagramLoad(scene.port);
  const second = await serve(scene, "v2");
  await load.answeredBy("v2");
  const mark = first.said.length;
  second.kill("SIGTERM");
  expect(await second.exited).toEqual({ code: 0, signal: null });
  await first.says("owner", mark);
  await load.answeredBy("v1");
  await load.stop();
  expect(load.lost).toEqual([]);
});

test("the owner is killed: what waits in the queue is read by the standby", async () => {
  await using scene = await Scene.open();
  const first = await serve(scene, "v1");
  const second = await serve(scene, "v2");
  second.kill("SIGSTOP");
  const mark = first.said.length;
  const load = new DatagramLoad(scene.port);
  // The standby reads without owning, for an owner that is silent.
  await load.answeredBy("v1");
  await second.end();
  await first.says("owner", mark);
  await load.answeredBy("v1");
  await load.stop();
  expect(load.lost).toEqual([]);
});

test("TERM to a lone owner: L is kept to the end of its drain, because Node still holds the UDP socket", async () => {
  await using scene = await Scene.open();
  const isTakenAtTheEnd = async (closes: boolean): Promise<boolean> => {
    await using hot = await HotHandoff.open({ name: "datagrams", dir: scene.dir, env: {} });
    const datagram = await hot.datagram("echo", { port: scene.port, host: "127.0.0.1" });
    const socket = createSocket("udp4");
    datagram.attach(socket);
    await hot.ready();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    hot.events.once("drained", () => {
      const other = Lineage.tryAcquire(scene.dir);
      other?.close();
      resolve(other === null);
    });
    if (closes) await once(socket.close(), "close");
    await hot.terminate({ quietMs: 0 });
    if (!closes) socket.close();
    return promise;
  };
  expect(await isTakenAtTheEnd(false)).toBe(true);
  // The second one had L at once, and the address.
  expect(await isTakenAtTheEnd(true)).toBe(false);
});

test.each(["terminate", "close"] as const)(
  "%s without the end of the process: nobody else starts before its UDP socket is closed",
  async (how) => {
    await using scene = await Scene.open();
    const hot = await HotHandoff.open({ name: "datagrams", dir: scene.dir, env: {} });
    const datagram = await hot.datagram("echo", { port: scene.port, host: "127.0.0.1" });
    const socket = createSocket("udp4");
    datagram.attach(socket);
    await hot.ready();
    await (how === "close" ? hot.close() : hot.terminate({ quietMs: 0 }));
    const next = scene.start("v2", {}, "datagrams.ts");
    expect(await next.says("open")).toMatchObject({ role: "standby" });
    expect(next.has("retry")).toBe(false);
    await once(socket.close(), "close");
    expect(await next.says("ready")).toMatchObject({ role: "fresh" });
  },
);

test("two newer ones die, one after the other: the oldest goes on with the socket that it had paused", async () => {
  await using scene = await Scene.open();
  const first = await serve(scene, "v1");
  const second = await serve(scene, "v2");
  // Makes the first let go: it looks for the owner from now on, as a new process would.
  const third = await serve(scene, "v3");
  const mark = first.said.length;
  await second.end();
  third.kill("SIGSTOP");
  const load = new DatagramLoad(scene.port);
  await third.end();
  await first.says("owner", mark);
  await load.answeredBy("v1");
  await load.stop();
  expect(load.lost).toEqual([]);
});
