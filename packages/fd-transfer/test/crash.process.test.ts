// SPDX-License-Identifier: Apache-2.0
// kill -9 of either side at each message boundary. Connections of the dead process are lost by nature; what must hold
// is that nobody is refused, that the survivor serves on the same socket, and that the next attempt succeeds.
import { expect, test } from "vitest";
import { Scene } from "./fixtures/fixture-process.ts";
import { Load } from "./fixtures/load.ts";
import { twoAtATime } from "./fixtures/two-at-a-time.ts";

const NEW_SIDE = [
  "before-send HELLO",
  "after-send HELLO",
  "before-handle WELCOME",
  "after-handle WELCOME",
  "before-handle FDS",
  "before-send FDS_ACK",
  "after-send FDS_ACK",
  "before-send PREPARED",
  "after-send PREPARED",
  "before-send COMMIT",
  "after-send COMMIT",
  "before-handle COMMITTED",
  "before-send ACCEPTING",
  "after-send ACCEPTING",
  "before-send GUARD_OK",
  "after-send GUARD_OK",
];

const OLD_SIDE_BEFORE_ALL_DESCRIPTORS_ARE_SENT = [
  "before-handle HELLO",
  "before-send WELCOME",
  "after-send WELCOME",
  "before-send FDS",
];

const OLD_SIDE = [
  "after-send FDS",
  "before-handle FDS_ACK",
  "after-handle FDS_ACK",
  "before-handle PREPARED",
  "after-handle PREPARED",
  "before-handle COMMIT",
  "before-send COMMITTED",
  "after-send COMMITTED",
  "before-handle ACCEPTING",
  "after-handle ACCEPTING",
  "before-handle GUARD_OK",
  "after-handle GUARD_OK",
];

/** Reset connections are the dead process' own; a refused one is a hole. */
function refused(failures: readonly string[]): string[] {
  return failures.filter((failure) => !/ECONNRESET|socket hang up/.test(failure));
}

test.concurrent.each(NEW_SIDE)(
  "the new side dies %s: the old one serves on, and hands over to the next",
  twoAtATime(async (where: string) => {
    await using scene = await Scene.open();
    const first = await scene.ready("v1");
    const cookie = (await first.says("ready"))["cookie"];
    const load = new Load(scene.port, { keepAlive: 0, fresh: 3 });
    const second = scene.start("v2", { FAULT: `KILL ${where}` });
    expect(await second.exited).toMatchObject({ signal: "SIGKILL" });
    await load.answeredBy("v1");
    const third = await scene.ready("v3");
    expect(await third.says("ready")).toMatchObject({ cookie, role: "successor" });
    await load.answeredBy("v3");
    expect(refused((await load.stop()).failures)).toEqual([]);
  }),
);

test.concurrent.each(OLD_SIDE)(
  "the old side dies %s: the new one has the same socket and serves",
  twoAtATime(async (where: string) => {
    await using scene = await Scene.open();
    const first = await scene.ready("v1", { FAULT: `KILL ${where}` });
    const cookie = (await first.says("ready"))["cookie"];
    const load = new Load(scene.port, { keepAlive: 0, fresh: 3 });
    const second = await scene.ready("v2");
    expect(await second.says("ready")).toMatchObject({ cookie });
    expect(await first.exited).toMatchObject({ signal: "SIGKILL" });
    await load.answeredBy("v2");
    const third = await scene.ready("v3");
    expect(await third.says("ready")).toMatchObject({ cookie, role: "successor" });
    await load.answeredBy("v3");
    expect(refused((await load.stop()).failures)).toEqual([]);
  }),
);

test.concurrent.each(OLD_SIDE_BEFORE_ALL_DESCRIPTORS_ARE_SENT)(
  "the old side dies %s: the new one starts cold",
  twoAtATime(async (where: string) => {
    await using scene = await Scene.open();
    const first = await scene.ready("v1", { FAULT: `KILL ${where}` });
    const second = await scene.ready("v2");
    expect(await first.exited).toMatchObject({ signal: "SIGKILL" });
    expect(await second.says("ready")).toMatchObject({ role: "fresh" });
    const load = new Load(scene.port, { keepAlive: 0, fresh: 3 });
    await load.answeredBy("v2");
    await scene.ready("v3");
    await load.answeredBy("v3");
    expect((await load.stop()).failures).toEqual([]);
  }),
);

test.concurrent(
  "the new side dies long after CONFIRMED: the standby takes back the same socket",
  twoAtATime(async () => {
    await using scene = await Scene.open();
    const first = await scene.ready("v1");
    const load = new Load(scene.port, { keepAlive: 4, fresh: 3 });
    const second = await scene.ready("v2");
    await load.answeredBy("v2", 200);
    await second.end();
    await load.answeredBy("v1");
    const third = await scene.ready("v3");
    expect(await third.says("ready")).toMatchObject({ cookie: (await first.says("ready"))["cookie"] });
    await load.answeredBy("v3");
    expect(refused((await load.stop()).failures)).toEqual([]);
  }),
);

test.concurrent(
  "the standby dies: the owner does not care, and hands over to the next",
  twoAtATime(async () => {
    await using scene = await Scene.open();
    const first = await scene.ready("v1");
    const second = await scene.ready("v2");
    const load = new Load(scene.port, { keepAlive: 4, fresh: 3 });
    await first.end();
    await load.answeredBy("v2");
    await scene.ready("v3");
    await load.answeredBy("v3");
    await second.end("SIGTERM");
    expect((await load.stop()).failures).toEqual([]);
  }),
);

test.concurrent(
  "the epoch grows with each change of owner",
  twoAtATime(async () => {
    await using scene = await Scene.open();
    const first = await scene.ready("v1");
    const second = await scene.ready("v2");
    const mark = first.said.length;
    await second.end();
    const again = await first.says("owner", mark);
    const third = await scene.ready("v3");
    const epochs = [
      (await first.says("ready"))["epoch"],
      (await second.says("ready"))["epoch"],
      (again["args"] as unknown[])[0],
      (await third.says("ready"))["epoch"],
    ].map((epoch) => BigInt(epoch as string));
    expect(epochs).toEqual([...new Set(epochs)].sort((a, b) => (a < b ? -1 : 1)));
  }),
);
