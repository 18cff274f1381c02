// SPDX-License-Identifier: Apache-2.0
// Peers that are broken or mean: they cost nothing and stop no upgrade.
import { openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { loadNative } from "../src/native/addon.ts";
import { encodeFrame } from "../src/protocol/frame.ts";
import type { Message, MessageOf } from "../src/protocol/message.ts";
import { decodeMessage, encodeMessage } from "../src/protocol/message.ts";
import { Scene } from "./fixtures/fixture-process.ts";
import type { FixtureProcess } from "./fixtures/fixture-process.ts";
import { ask, Load } from "./fixtures/load.ts";

const native = loadNative();
const open: number[] = [];

afterEach(() => {
  for (const fd of open.splice(0)) if (native.isOpen(fd)) native.close(fd);
});

async function knock(scene: Scene): Promise<number> {
  for (;;) {
    try {
      const fd = native.connectSeqpacket(join(scene.dir, "owner.sock"));
      open.push(fd);
      return fd;
    } catch (error) {
      if ((error as { code?: string }).code !== "EAGAIN") throw error;
      await sleep(5);
    }
  }
}

/** The next message, or null at the end of the connection. */
async function answer(fd: number): Promise<Message | null> {
  for (let tries = 0; tries < 600; tries++) {
    let received;
    try {
      received = native.recv(fd, 65_536);
    } catch (error) {
      if ((error as { code?: string }).code === "ECONNRESET") continue;
      throw error;
    }
    if (received !== null) return received.data.length === 0 ? null : decodeMessage(received.data).message;
    await sleep(10);
  }
  throw new Error("no answer");
}

function hello(more: Partial<Extract<Message, { type: "HELLO" }>> = {}): Message {
  return {
    type: "HELLO",
    protoMin: 1,
    protoMax: 1,
    name: "fixture",
    epochKnown: 0n,
    version: 99n,
    startedAt: 1n,
    uid: 0,
    nonce: new Uint8Array(16),
    mac: new Uint8Array(),
    caps: 0,
    ...more,
  };
}

async function stillHandsOver(scene: Scene, first: FixtureProcess): Promise<void> {
  const load = new Load(scene.port, { keepAlive: 2, fresh: 1 });
  const second = await scene.ready("v2");
  expect(await second.says("ready")).toMatchObject({
    role: "successor",
    cookie: (await first.says("ready"))["cookie"],
  });
  await load.answeredBy("v2");
  expect((await load.stop()).failures).toEqual([]);
}

const GARBAGE: [string, () => Uint8Array, boolean][] = [
  ["random bytes", () => Uint8Array.from({ length: 500 }, (_, index) => (index * 7919) & 0xff), false],
  ["one byte", () => new Uint8Array([0]), false],
  ["a wrong magic", () => encodeMessage(hello(), 0).with(0, 0x58), false],
  ["a wrong checksum", () => encodeMessage(hello(), 0).with(12, 0x58), false],
  ["a length over the message", () => encodeMessage(hello(), 0).with(11, 0xff), false],
  ["200,000 bytes", () => new Uint8Array(200_000), false],
  ["an unknown type", () => encodeFrame({ type: 200, flags: 0, seq: 0, body: new Uint8Array() }), false],
  ["descriptors with garbage", () => new Uint8Array([1, 2, 3]), true],
  ["descriptors with HELLO", () => encodeMessage(hello(), 0), true],
];

test.each(GARBAGE)(
  "%s: the connection is closed, no descriptor is kept, the upgrade goes on",
  async (_, bytes, withFds) => {
    await using scene = await Scene.open();
    const first = await scene.ready("v1");
    const base = first.fds();
    const gift = openSync("/dev/null", "r");
    open.push(gift);
    const fd = await knock(scene);
    native.send(fd, bytes(), withFds ? [gift, gift, gift] : []);
    expect(await answer(fd)).toBeNull();
    expect(first.fds()).toBe(base);
    await stillHandsOver(scene, first);
  },
);

test("200 connections that say nothing, while an upgrade runs", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const base = first.fds();
  for (let count = 0; count < 200; count++) await knock(scene);
  await stillHandsOver(scene, first);
  const owner = await scene.ready("v3");
  for (const fd of open.splice(0)) native.close(fd);
  expect(owner.has("ready")).toBe(true);
  expect(first.fds()).toBeLessThan(base + 70);
});

test("descriptors with a message that comes too early are closed", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const base = first.fds();
  const gift = openSync("/dev/null", "r");
  open.push(gift);
  const gifts = Array.from({ length: 100 }, () => gift);
  const fd = await knock(scene);
  native.send(fd, encodeMessage({ type: "CONN", batch: 0, items: [] }, 0), gifts);
  expect(await answer(fd)).toMatchObject({ type: "REFUSE", code: "protocol" });
  expect(await answer(fd)).toBeNull();
  const older = await knock(scene);
  native.send(older, encodeMessage(hello({ version: 0n, startedAt: 1n }), 0), []);
  expect(await answer(older)).toMatchObject({ type: "REFUSE", code: "standby" });
  native.send(older, encodeMessage({ type: "CONN", batch: 0, items: [] }, 1), gifts);
  expect(await answer(older)).toBeNull();
  expect(first.fds()).toBe(base);
  await stillHandsOver(scene, first);
});

test("100 processes that announce connections and send none: the owner keeps the 64 latest, and hands over", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const base = first.fds();
  const { name, version, startedAt, nonce, mac } = hello() as MessageOf<"HELLO">;
  const move = encodeMessage(
    { type: "MOVE", protoMin: 1, protoMax: 1, name, version, startedAt, nonce, mac, keys: ["http/http"] },
    0,
  );
  const all: number[] = [];
  for (let count = 0; count < 100; count++) {
    const fd = await knock(scene);
    native.send(fd, move, []);
    expect(await answer(fd)).toMatchObject({ type: "MOVING", keys: ["http/http"] });
    all.push(fd);
  }
  expect(first.fds()).toBe(base + 64);
  expect(await answer(all[35]!)).toBeNull();
  await stillHandsOver(scene, first);
});

test("100 older processes that stand by: the owner keeps the 64 latest, and hands over", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const base = first.fds();
  const bytes = encodeMessage(hello({ version: 0n, startedAt: 1n }), 0);
  const all: number[] = [];
  for (let count = 0; count < 100; count++) {
    const fd = await knock(scene);
    native.send(fd, bytes, []);
    expect(await answer(fd)).toMatchObject({ type: "REFUSE", code: "standby" });
    all.push(fd);
  }
  expect(first.fds()).toBe(base + 64);
  expect(await answer(all[35]!)).toBeNull();
  expect(native.recv(all[36]!, 65_536)).toBeNull();
  await stillHandsOver(scene, first);
});

test("another message before HELLO, a wrong name, a wrong protocol: refused with the code", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const cases: [Message, string][] = [
    [{ type: "COMMIT", epoch: 1n }, "protocol"],
    [hello({ name: "other" }), "name"],
    [hello({ protoMin: 7, protoMax: 9 }), "version"],
    [hello({ mac: new Uint8Array(32) }), "auth"],
  ];
  for (const [message, code] of cases) {
    const fd = await knock(scene);
    native.send(fd, encodeMessage(message, 0), []);
    expect(await answer(fd)).toMatchObject({ type: "REFUSE", code });
    expect(await answer(fd)).toBeNull();
  }
  await stillHandsOver(scene, first);
});

test("a third process gets BUSY while a hand-over runs, whoever it is; an older one stands by", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const second = scene.start("v2", { READY_DELAY_MS: "1000" });
  await second.says("listening");
  const third = await knock(scene);
  native.send(third, encodeMessage(hello(), 0), []);
  expect(await answer(third)).toMatchObject({ type: "BUSY" });
  const older = await knock(scene);
  native.send(older, encodeMessage(hello({ version: 0n, startedAt: 1n }), 0), []);
  expect(await answer(older)).toMatchObject({ type: "REFUSE", code: "standby" });
  await second.says("ready");
  expect(await answer(older)).toBeNull();
  expect(first.has("rollback")).toBe(false);
});

test("a peer that takes the descriptors and then breaks the protocol: called off, the next one succeeds", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const base = first.fds();
  for (const next of [{ type: "COMMIT", epoch: 1n }, { type: "YIELD" }, { type: "GUARD_OK" }] as Message[]) {
    const fd = await knock(scene);
    native.send(fd, encodeMessage(hello(), 0), []);
    expect(await answer(fd)).toMatchObject({ type: "WELCOME" });
    expect(await answer(fd)).toMatchObject({ type: "FDS" });
    native.send(fd, encodeMessage({ type: "FDS_ACK", batch: 0, count: 3, ok: true, reason: "" }, 1), []);
    native.send(fd, encodeMessage(next, 2), []);
    expect(await answer(fd)).toMatchObject({ type: "NACK" });
    native.close(fd);
  }
  expect(await ask(scene.port, false, "x")).toBe("v1");
  while (first.fds() > base) await sleep(20);
  await stillHandsOver(scene, first);
});
