// SPDX-License-Identifier: Apache-2.0
// kill -9 of either side at each message boundary; crash.long.test.ts does the same in other settings.
import { expect, test } from "vitest";
import {
  NEW_SIDE,
  newSideDies,
  OLD_SIDE,
  OLD_SIDE_BEFORE_ALL_DESCRIPTORS_ARE_SENT,
  oldSideDies,
  oldSideDiesEarly,
  refused,
  struck,
} from "./fixtures/crash-hand-over.ts";
import type { Case } from "./fixtures/crash-later.ts";
import { BYSTANDERS, CASES, diesAtTheDoor, diesLater } from "./fixtures/crash-later.ts";
import { Scene } from "./fixtures/fixture-process.ts";
import { Load } from "./fixtures/load.ts";
import { twoAtATime } from "./fixtures/two-at-a-time.ts";

test.concurrent.each(NEW_SIDE)(
  "the new side dies %s: the old one serves on, and hands over to the next",
  twoAtATime(async (where: string) => newSideDies(where)),
);

test.concurrent.each(OLD_SIDE)(
  "the old side dies %s: the new one has the same socket and serves",
  twoAtATime(async (where: string) => oldSideDies(where)),
);

test.concurrent.each(OLD_SIDE_BEFORE_ALL_DESCRIPTORS_ARE_SENT)(
  "the old side dies %s: the new one starts cold",
  twoAtATime(async (where: string) => oldSideDiesEarly(where)),
);

test.concurrent.each(CASES)(
  "%s: who is left serves, and hands over to the next",
  twoAtATime(async (_name: string, one: Case) => diesLater(one)),
);

test.concurrent.each(BYSTANDERS)(
  "a third process is turned away and somebody dies %s: the others go on",
  twoAtATime(async (where: string) => diesAtTheDoor(where)),
);

test.concurrent(
  "the first stands still while the second confirms, lets it go for the third, and dies: the third is not locked out",
  twoAtATime(async () => {
    await using scene = await Scene.open();
    await scene.ready("v1", { FAULT: "BLOCK before-handle GUARD_OK 2500" });
    const second = await scene.ready("v2", { FAULT: "KILL after-send RELEASE" });
    const third = scene.start("v3");
    await struck(second);
    await third.says("ready");
    const load = new Load(scene.port, { keepAlive: 0, fresh: 3 });
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
