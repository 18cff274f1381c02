// SPDX-License-Identifier: Apache-2.0
// What happens next while the one before is still draining.
import { Agent, request } from "node:http";
import type { IncomingMessage } from "node:http";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { Scene } from "./fixtures/fixture-process.ts";
import { KeepAliveClient } from "./fixtures/keep-alive-client.ts";
import { Load } from "./fixtures/load.ts";

const QUICK = { TIMEOUTS: JSON.stringify({ guardMs: 50, backOffMs: 100 }) };

/** A response that has begun, and goes on until `end`, which resolves to all of it. */
async function endless(port: number): Promise<{ end: () => Promise<string> }> {
  const outgoing = request({ host: "127.0.0.1", port, path: "/echo", method: "POST", agent: new Agent() });
  outgoing.write("begun ");
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  return {
    end: () => {
      outgoing.end("and ended");
      return text(response);
    },
  };
}

test("a third generation starts while the first still drains: its response is delivered whole, nothing fails", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1", QUICK);
  const { cookie } = await first.says("ready");
  const { end } = await endless(scene.port);
  const load = new Load(scene.port);
  await scene.ready("v2", QUICK);
  await load.answeredBy("v2");
  const third = await scene.ready("v3", QUICK);
  expect(await third.says("ready")).toMatchObject({ cookie, role: "successor" });
  await load.answeredBy("v3");
  expect(first.has("drained")).toBe(false);
  expect((await load.stop()).failures).toEqual([]);
  expect(await end()).toBe("begun and ended");
});

test("the owner dies while the first still drains: the drain is called off, its connections live on", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1", QUICK);
  const client = new KeepAliveClient(scene.port);
  await client.connected();
  const asked = client.ask("x", "/late?2500");
  const second = await scene.ready("v2", QUICK);
  await first.says("draining");
  const mark = first.said.length;
  await second.end();
  await first.says("owner", mark);
  expect(await asked).toEqual({ version: "v1", last: false });
  expect(await client.ask("again")).toEqual({ version: "v1", last: false });
  expect(client.wrong).toEqual([]);
  client.destroy();
});

test("the old side is told to stop while the new one is down: it serves until somebody takes over", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1", QUICK);
  const { cookie } = await first.says("ready");
  const second = await scene.ready("v2", QUICK);
  const mark = first.said.length;
  await second.end();
  await first.says("owner", mark);
  const load = new Load(scene.port);
  await load.answeredBy("v1");
  first.kill("SIGTERM");
  await load.answeredBy("v1");
  const again = await scene.ready("v2", QUICK);
  expect(await again.says("ready")).toMatchObject({ cookie, role: "successor" });
  expect(await first.exited).toEqual({ code: 0, signal: null });
  await load.answeredBy("v2");
  expect((await load.stop()).failures).toEqual([]);
});
