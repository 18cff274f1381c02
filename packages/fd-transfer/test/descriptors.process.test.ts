// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { FixtureProcess } from "./fixtures/fixture-process.ts";
import { Scene } from "./fixtures/fixture-process.ts";
import { ask } from "./fixtures/load.ts";

/** Node closes handles a little later than it is told to, also when `base` was counted: it may take a moment. */
async function settle(processes: readonly FixtureProcess[], base: readonly number[]): Promise<void> {
  const grown = (): number[] => processes.map((one, index) => Math.max(0, one.fds() - (base[index] ?? 0)));
  for (let tries = 0; tries < 250 && grown().some((count) => count > 0); tries++) await sleep(20);
  expect(grown()).toEqual(processes.map(() => 0));
}

/** The counts once nothing has come or gone for two seconds. */
async function atRest(processes: readonly FixtureProcess[]): Promise<number[]> {
  let counts: number[] = [];
  for (let same = 0; same < 100; same++) {
    const now = processes.map((one) => one.fds());
    if (now.some((count, index) => count !== counts[index])) same = 0;
    counts = now;
    await sleep(20);
  }
  return counts;
}

test("100 hand-overs to and fro between two processes leave no descriptor behind", async () => {
  await using scene = await Scene.open();
  const env = { TIMEOUTS: JSON.stringify({ guardMs: 5 }) };
  const pair = [scene.start("a", env, "taker.ts"), scene.start("b", env, "taker.ts")] as const;
  let cookie: unknown;
  let base: number[] = [];
  for (let turn = 0; turn < 110; turn++) {
    const taker = pair[turn % 2 === 0 ? 0 : 1];
    const mark = taker.said.length;
    taker.child.stdin?.write("take\n");
    const ready = await taker.says("ready", mark);
    cookie ??= ready["cookie"];
    expect(ready).toMatchObject({ cookie, role: turn === 0 ? "fresh" : "successor" });
    // The first ones open what Node opens once (pools, pipes). The standby comes to the new owner a little later.
    if (turn === 9) base = await atRest(pair);
  }
  expect(await ask(scene.port, false, "x")).toBe("b");
  await settle(pair, base);
});

test("20 take-overs by processes that are killed leave no descriptor behind in the one that takes back", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  let base = 0;
  for (let turn = 0; turn < 21; turn++) {
    const mark = first.said.length;
    const next = await scene.ready(`v${turn + 2}`, { TIMEOUTS: JSON.stringify({ guardMs: 5 }) });
    await next.end();
    await first.says("owner", mark);
    if (turn === 0) base = first.fds();
  }
  await settle([first], [base]);
});

test("10,000 sockets, or what the limit here allows: each arrives as itself, twice, and none is left behind", async () => {
  // A socket that is served takes two descriptors: Node's, and the one that keeps its queue.
  const limit = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? 1e6);
  const COUNT = String(Math.min(9_999, Math.floor((limit - 300) / 2)));
  await using scene = await Scene.open({ COUNT, NOFILE: String(Math.min(limit, 30_000)) });
  const first = scene.start("v1", {}, "many.ts");
  const { cookies } = await first.says("ready");
  expect(new Set(cookies as string[]).size).toBe(Number(COUNT) + 1);
  const base = first.fds();
  const second = scene.start("v2", {}, "many.ts");
  expect(await second.says("ready")).toMatchObject({ cookies, role: "successor" });
  const mark = first.said.length;
  await second.end();
  await first.says("owner", mark);
  await settle([first], [base]);
  const third = scene.start("v3", {}, "many.ts");
  expect(await third.says("ready")).toMatchObject({ cookies, role: "successor" });
  expect(await ask(scene.port, false, "x")).toBe("v3");
});
