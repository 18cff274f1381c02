// SPDX-License-Identifier: Apache-2.0
// The main hand-over where it runs in production: between the containers of a pod, and without any right of root.
// Each kill in these settings: crash.long.test.ts.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { FixtureProcess } from "./fixtures/fixture-process.ts";
import { Scene } from "./fixtures/fixture-process.ts";
import { ask, Load } from "./fixtures/load.ts";
import { canIsolate, SETTINGS, SIBLING_NAMESPACES, UNPRIVILEGED } from "./fixtures/settings.ts";

/** The id of a process in its own namespace. */
function innerPid(process: FixtureProcess): number {
  const ids = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${process.pid}/status`, "utf8"))?.[1]?.split(/\s+/);
  return Number(ids?.at(-1));
}

describe.runIf(canIsolate)("settings", () => {
  test.each(SETTINGS)(
    "%s: three generations, a take-back, a kill: one socket, nothing fails",
    async (_name, setting) => {
      await using scene = await Scene.open(setting);
      const first = await scene.ready("v1");
      const { cookie } = await first.says("ready");
      const load = new Load(scene.port);
      const second = await scene.ready("v2");
      expect(await second.says("ready")).toMatchObject({ cookie, role: "successor" });
      await load.answeredBy("v2");
      let mark = first.said.length;
      second.kill("SIGTERM");
      await second.exited;
      await first.says("owner", mark);
      await load.answeredBy("v1");
      const third = await scene.ready("v3");
      expect(await third.says("ready")).toMatchObject({ cookie, role: "successor" });
      await load.answeredBy("v3");
      expect((await load.stop()).failures).toEqual([]);
      mark = first.said.length;
      third.kill("SIGKILL");
      await first.says("owner", mark);
      expect(await ask(scene.port, false, "x")).toBe("v1");
    },
  );

  test("siblings are really strangers: each is process 1 of a namespace of its own", async () => {
    await using scene = await Scene.open(SIBLING_NAMESPACES);
    const pair = [await scene.ready("v1"), await scene.ready("v2")];
    expect(pair.map(innerPid)).toEqual([1, 1]);
  });

  test("450 sockets with nofile 1024 and no right to have more in flight: all arrive, none is left behind", async () => {
    await using scene = await Scene.open({ ...UNPRIVILEGED, COUNT: "450" });
    const first = scene.start("v1", {}, "many.ts");
    const { cookies } = await first.says("ready");
    expect(readFileSync(`/proc/${first.pid}/status`, "utf8")).toMatch(/^CapEff:\s+0+$/m);
    const base = readdirSync(`/proc/${first.pid}/fd`).length;
    const second = scene.start("v2", {}, "many.ts");
    expect(await second.says("ready")).toMatchObject({ cookies, role: "successor" });
    second.kill("SIGKILL");
    await first.says("owner", first.said.length - 1);
    expect(readdirSync(`/proc/${first.pid}/fd`).length).toBeLessThanOrEqual(base);
    expect(await ask(scene.port, false, "x")).toBe("v1");
  });
});
