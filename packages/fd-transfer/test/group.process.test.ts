// SPDX-License-Identifier: Apache-2.0
import { chmodSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Scene } from "./fixtures/fixture-process.ts";
import { ask } from "./fixtures/load.ts";

const isRoot = process.geteuid?.() === 0;

test.runIf(isRoot)("two users of one group hand over to each other; somebody else is refused", async () => {
  await using scene = await Scene.open();
  chmodSync(scene.folder, 0o777);
  const group = { MODE: "group" };
  const first = await scene.ready("v1", { ...group, RUN_AS: "4321:4300" });
  const { cookie } = await first.says("ready");
  expect(statSync(scene.dir)).toMatchObject({ uid: 4321, gid: 4300 });
  const modes = ["", "lock", "owner.sock", "probe.0.sock"].map((name) => statSync(join(scene.dir, name)).mode & 0o7777);
  expect(modes).toEqual([0o2770, 0o660, 0o660, 0o660]);
  const second = await scene.ready("v2", { ...group, RUN_AS: "4322:4300" });
  expect(await second.says("ready")).toMatchObject({ cookie, role: "successor" });
  const stranger = scene.start("v3", { ...group, RUN_AS: "4323:4301" });
  await stranger.exited;
  expect(stranger.has("open")).toBe(false);
  expect(await ask(scene.port, false, "x")).toBe("v2");
  const mark = first.said.length;
  second.kill("SIGTERM");
  await second.exited;
  await first.says("owner", mark);
  expect(await ask(scene.port, false, "x")).toBe("v1");
});
