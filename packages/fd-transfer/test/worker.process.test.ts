// SPDX-License-Identifier: Apache-2.0
// Worker threads, and workers of node:cluster.
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { Scene } from "./fixtures/fixture-process.ts";
import { Load } from "./fixtures/load.ts";

test("a server in a worker thread takes over, takes back and is taken over from, as in the main thread", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const { cookie } = await first.says("ready");
  const load = new Load(scene.port);
  const worker = scene.start("v2", {}, "in-worker.ts");
  expect(await worker.says("ready")).toMatchObject({ cookie, role: "successor" });
  await load.answeredBy("v2");
  await first.end("SIGTERM");
  const third = await scene.ready("v3");
  expect(await third.says("ready")).toMatchObject({ cookie, role: "successor" });
  await load.answeredBy("v3");
  const mark = worker.said.length;
  third.kill("SIGTERM");
  await third.exited;
  await worker.says("owner", mark);
  await load.answeredBy("v2");
  expect((await load.stop()).failures).toEqual([]);
});

test("a worker of node:cluster is refused, with what to do, before it has made anything", async () => {
  await using scene = await Scene.open();
  const process = scene.start("v1", {}, "in-cluster.ts");
  expect(await process.says("failed")).toMatchObject({
    code: "HOT4012",
    message: expect.stringContaining("ClusterWorker") as string,
    fix: expect.stringContaining("primary") as string,
  });
  expect(existsSync(scene.dir)).toBe(false);
});
