// SPDX-License-Identifier: Apache-2.0
// A listener that the owner closes on purpose is gone in every process; its connections go on.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Scene } from "./fixtures/fixture-process.ts";
import { KeepAliveClient } from "./fixtures/keep-alive-client.ts";
import { ask } from "./fixtures/load.ts";

async function refused(port: number): Promise<boolean> {
  try {
    await ask(port, false, "x");
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
  }
}

test("CLOSED: the standby closes its descriptor too, so that nobody is left waiting in a queue", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const second = await scene.ready("v2");
  const client = new KeepAliveClient(scene.port);
  expect(await client.ask("x")).toMatchObject({ version: "v2" });
  second.kill("SIGWINCH");
  await second.says("closed");
  while (!(await refused(scene.port))) await sleep(20);
  expect(await client.ask("y")).toEqual({ version: "v2", last: false });
  client.destroy();
  const mark = first.said.length;
  await second.end();
  await first.says("owner", mark);
  expect(await refused(scene.port)).toBe(true);
});
