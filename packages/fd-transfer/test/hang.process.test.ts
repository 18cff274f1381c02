// SPDX-License-Identifier: Apache-2.0
// SIGSTOP of either side: who cannot answer must not stop the other one from accepting.
import { expect, test } from "vitest";
import { Scene, versions } from "./fixtures/fixture-process.ts";
import { ask, Load } from "./fixtures/load.ts";

const QUICK = { TIMEOUTS: JSON.stringify({ readyMs: 700, lingerMs: 300, deadMs: 900, backOffMs: 100 }) };

test("the new side hangs before COMMIT: the old one calls it off by its deadline and serves the next", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1", QUICK);
  const load = new Load(scene.port);
  const second = scene.start("v2", { ...QUICK, FAULT: "STOP before-send COMMIT" });
  expect((await first.says("rollback"))["args"]).toMatchObject([{ how: "aborted" }]);
  await load.answeredBy("v1");
  await scene.ready("v3", QUICK);
  await load.answeredBy("v3");
  expect((await load.stop()).failures).toEqual([]);
  // It wakes up without a claim: it has been given up on, and the owner is newer.
  second.kill("SIGCONT");
  await second.says("retry");
  expect(await ask(scene.port, false, "x")).toBe("v3");
});

test("the new side hangs in the guard: the old one takes back", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1", QUICK);
  const second = scene.start("v2", { ...QUICK, FAULT: "STOP after-send ACCEPTING" });
  expect((await first.says("rollback"))["args"]).toMatchObject([{ how: "rolled" }]);
  const load = new Load(scene.port);
  await load.answeredBy("v1");
  expect((await load.stop()).failures).toEqual([]);
  second.kill("SIGCONT");
  await second.says("ready");
  expect(await ask(scene.port, false, "x")).toBe("v2");
});

test("R5: the owner hangs: the standby accepts without owning until the owner answers again", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1", QUICK);
  const second = await scene.ready("v2", QUICK);
  second.kill("SIGSTOP");
  expect(await ask(scene.port, false, "x")).toBe("v1");
  const load = new Load(scene.port, { keepAlive: 0, fresh: 3 });
  await load.answeredBy("v1", 50);
  expect(first.said.filter((one) => one.event === "owner")).toHaveLength(1);
  second.kill("SIGCONT");
  await load.answeredBy("v2", 50);
  expect((await load.stop()).failures).toEqual([]);
});

test("R13: the old side hangs after COMMIT: the new one accepts without owning, and owns when it wakes up", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1", { ...QUICK, FAULT: "STOP before-handle COMMIT" });
  const second = scene.start("v2", QUICK);
  await first.says("fault");
  expect(await ask(scene.port, false, "x")).toBe("v2");
  expect(second.has("ready")).toBe(false);
  first.kill("SIGCONT");
  await second.says("ready");
  expect(await ask(scene.port, false, "x")).toBe("v2");
});

test("a hung lone owner is never stolen from", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1", QUICK);
  first.kill("SIGSTOP");
  const second = scene.start("v2", { TIMEOUTS: JSON.stringify({ connectMs: 200, backOffMs: 50 }) });
  await second.says("retry");
  expect(second.has("ready")).toBe(false);
  first.kill("SIGCONT");
  await second.says("ready");
  expect(await ask(scene.port, false, "x")).toBe("v2");
});

test("the new side's probe fails before COMMIT: it is told so, the old one serves and the next attempt succeeds", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const second = scene.start("v2", { PROBE: "fail" });
  expect(await second.says("failed")).toMatchObject({ code: "HOT4007", rolledBack: true });
  expect((await first.says("rollback"))["args"]).toMatchObject([{ how: "aborted" }]);
  await scene.ready("v3");
  expect(await ask(scene.port, false, "x")).toBe("v3");
});

test("R4, R9: the new side is unwell in the guard: rolled back; the same version waits longer each time", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1", { ...versions(5, 0), ...QUICK });
  const load = new Load(scene.port);
  const second = scene.start("v2", { ...versions(7, 5), PROBE: "guard" });
  expect(await second.says("failed")).toMatchObject({ code: "HOT4007", rolledBack: true });
  expect((await first.says("rollback"))["args"]).toMatchObject([{ how: "rolled" }]);
  await scene.ready("v2b", versions(7, 5));
  await load.answeredBy("v2b");
  expect((await load.stop()).failures).toEqual([]);
});

test("TERM to the new side during the guard: it gives back, the old one goes on", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const load = new Load(scene.port);
  const second = scene.start("v2", { TIMEOUTS: JSON.stringify({ guardMs: 3_000 }) });
  await second.says("committed");
  second.kill("SIGTERM");
  expect(await second.exited).toEqual({ code: 0, signal: null });
  expect((await first.says("rollback"))["args"]).toMatchObject([{ how: "rolled" }]);
  await load.answeredBy("v1");
  expect((await load.stop()).failures).toEqual([]);
});

test("TERM to the old side during the guard: it keeps the guard to its end and leaves then", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const load = new Load(scene.port);
  const second = scene.start("v2", { TIMEOUTS: JSON.stringify({ guardMs: 600 }) });
  await second.says("committed");
  first.kill("SIGTERM");
  await second.says("ready");
  expect(await first.exited).toEqual({ code: 0, signal: null });
  await load.answeredBy("v2");
  expect((await load.stop()).failures).toEqual([]);
});

test("TERM to the old side in the middle of a hand-over: it finishes it", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const load = new Load(scene.port);
  const second = scene.start("v2", { READY_DELAY_MS: "600" });
  await second.says("listening");
  first.kill("SIGTERM");
  await second.says("ready");
  expect(await first.exited).toEqual({ code: 0, signal: null });
  await load.answeredBy("v2");
  expect((await load.stop()).failures).toEqual([]);
});

test("TERM to both: the owner serves to the end of its grace", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const second = await scene.ready("v2");
  const load = new Load(scene.port);
  await load.answeredBy("v2");
  first.kill("SIGTERM");
  second.kill("SIGTERM");
  await load.answeredBy("any", 50); // which one is a race; that somebody does is not
  expect((await load.stop()).failures).toEqual([]);
  expect(await first.exited).toEqual({ code: 0, signal: null });
  expect(await second.exited).toEqual({ code: 0, signal: null });
});
