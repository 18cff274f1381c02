// SPDX-License-Identifier: Apache-2.0
// RLIMIT_NOFILE: what does not fit is refused as a whole, nobody loses a socket, and nothing is left behind.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { loadNative } from "../src/native/addon.ts";
import type { Message } from "../src/protocol/message.ts";
import { decodeMessage, encodeMessage } from "../src/protocol/message.ts";
import { Scene } from "./fixtures/fixture-process.ts";
import { LineClients } from "./fixtures/line-clients.ts";
import { ask } from "./fixtures/load.ts";
import { canIsolate, UNPRIVILEGED } from "./fixtures/settings.ts";

test("301 sockets in two batches; a process without room for them is told why, and the old one goes on", async () => {
  await using scene = await Scene.open();
  const first = scene.start("v1", {}, "many.ts");
  const { cookies } = await first.says("ready");
  const base = first.fds();
  const small = scene.start("v2", { NOFILE: "200" }, "many.ts");
  const { args } = await small.says("retry");
  expect(args).toMatchObject([{ reason: expect.stringContaining("HOT4006") as string }]);
  expect((await first.says("rollback"))["args"]).toMatchObject([{ how: "aborted" }]);
  expect(await ask(scene.port, false, "x")).toBe("v1");
  await small.end();
  for (let tries = 0; tries < 100 && first.fds() > base; tries++) await sleep(50);
  expect(first.fds()).toBeLessThanOrEqual(base);
  const next = scene.start("v3", {}, "many.ts");
  expect(await next.says("ready")).toMatchObject({ cookies, role: "successor" });
  expect(await ask(scene.port, false, "x")).toBe("v3");
});

test("an owner with little room takes as many connections as it has room for; the others are served where they are", async () => {
  await using scene = await Scene.open();
  const first = scene.start("v1", {}, "lines.ts");
  await first.says("ready");
  const clients = await LineClients.open(scene.port, 100);
  clients.start(50);
  await clients.allAnsweredBy("v1");
  await scene.start("v2", { NOFILE: "120" }, "lines.ts").says("ready");
  const answered = clients.answered;
  while (clients.answeredBy("v2") === 0 || clients.answered < answered + 1_000) await sleep(20);
  await clients.pause();
  expect(clients.wrong).toEqual([]);
  // 120 less what a process has open anyway less the reserve of 64.
  expect(clients.answeredBy("v2")).toBeLessThan(56);
  clients.close();
});

/** What the owner answers to this as the first message. */
async function answer(scene: Scene, message: Message): Promise<Message> {
  const native = loadNative();
  const fd = native.connectSeqpacket(join(scene.dir, "owner.sock"));
  try {
    native.send(fd, encodeMessage(message, 0), []);
    for (let tries = 0; tries < 1_000; tries++) {
      const received = native.recv(fd, 65_536);
      if (received !== null && received.data.length === 0) throw new Error("the end, without an answer");
      if (received !== null) return decodeMessage(received.data).message;
      await sleep(10);
    }
    throw new Error("no answer");
  } finally {
    native.close(fd);
  }
}

test.each([true, false])(
  "a process without a free descriptor is told what it lacks and what to do, whatever it was about to open (owner: %s)",
  async (owner) => {
    await using scene = await Scene.open();
    if (owner) await scene.ready("v1");
    const lacking = scene.start("v2", { NOFILE: "120" }, "no-room.ts");
    const attempts = (await lacking.says("attempts"))["attempts"] as Record<string, unknown>[];
    const failed = attempts.filter((one) => !("role" in one));
    // Without a single one the native part cannot be loaded; later ones lack one at another place each.
    expect(failed.length).toBeGreaterThan(1);
    for (const one of failed) {
      const lacks = { name: "HandoffError", code: "HOT4006", fix: expect.stringContaining("RLIMIT_NOFILE") as string };
      expect(one).toMatchObject({ ...lacks, causedBy: "EMFILE" });
    }
    expect(attempts.at(-1)).toHaveProperty("role");
  },
);

test("an owner without a descriptor to spare says so to whoever asks, serves on, and hands over when it has some", async () => {
  await using scene = await Scene.open();
  const first = scene.start("v1", { NOFILE: "120" }, "at-limit.ts");
  await first.says("ready");
  // One, for the connection of whoever asks: none for what it asks for.
  first.child.stdin?.write("1\n");
  await first.says("left");
  const asks = {
    protoMin: 1,
    protoMax: 1,
    name: "fixture",
    version: 0n,
    nonce: new Uint8Array(16),
    mac: new Uint8Array(),
  };
  const startedAt = process.hrtime.bigint();
  const move: Message = { type: "MOVE", ...asks, startedAt, keys: [] };
  expect(await answer(scene, move)).toMatchObject({ type: "MOVING", fdBudget: 0 });
  // Until the owner has heard of the end of the connection before, there is no room for another one.
  const hello: Message = { type: "HELLO", ...asks, startedAt, epochKnown: 0n, uid: 0, caps: 0 };
  expect(await answer(scene, hello)).toMatchObject({ type: "BUSY" });
  expect((await first.says("rollback"))["how"]).toMatchObject({ how: "aborted" });
  first.child.stdin?.write("60\n");
  expect(await (await scene.ready("v2")).says("ready")).toMatchObject({
    cookie: String((await first.says("ready"))["cookie"]),
    role: "successor",
  });
});

test.runIf(canIsolate)(
  "too many descriptors on their way: sent again until the others have arrived, in order, none lost",
  async () => {
    await using scene = await Scene.open({ ...UNPRIVILEGED, NOFILE: "64" });
    const process = scene.start("v1", {}, "in-flight.ts");
    expect((await process.says("refused"))["refused"]).toBeGreaterThan(0);
    const { arrived } = await process.says("arrived");
    expect(arrived).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((batch) => `${batch}: 20`));
    expect(process.has("broken")).toBe(false);
  },
);

test.runIf(canIsolate)(
  "a process that could hold the sockets and not serve them is told before it takes over",
  async () => {
    await using scene = await Scene.open({ ...UNPRIVILEGED, COUNT: "450" });
    await scene.start("v1", {}, "many.ts").says("ready");
    const small = scene.start("v2", { NOFILE: "700" }, "many.ts");
    // Each takes a second descriptor as soon as it is served.
    await expect(small.says("ready")).rejects.toThrow(/HOT4006.*serving needs 451 descriptors/s);
    expect(await ask(scene.port, false, "x")).toBe("v1");
  },
);
