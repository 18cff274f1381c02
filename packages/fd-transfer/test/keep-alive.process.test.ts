// SPDX-License-Identifier: Apache-2.0
// Keep-alive connections of a plain HTTP server: moved between two requests, never closed.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Scene } from "./fixtures/fixture-process.ts";
import { KeepAliveClient } from "./fixtures/keep-alive-client.ts";

const QUICK = { TIMEOUTS: JSON.stringify({ guardMs: 50, backOffMs: 100 }) };

async function open(port: number, count: number): Promise<KeepAliveClient[]> {
  const clients = Array.from({ length: count }, () => new KeepAliveClient(port));
  await Promise.all(clients.map(async (client) => client.connected()));
  return clients;
}

const wrong = (clients: readonly KeepAliveClient[]): string[] => clients.flatMap((client) => client.wrong);

test("1,000 idle connections, with and without a request behind them: all move, twice, and none is closed", async () => {
  await using scene = await Scene.open();
  let before = await scene.ready("v1", QUICK);
  const used = await open(scene.port, 800);
  const first = await Promise.all(used.map(async (client) => client.ask("first")));
  expect(first).toEqual(used.map(() => ({ version: "v1", last: false })));
  const virgin = await open(scene.port, 200);
  const all = [...used, ...virgin];
  for (const version of ["v2", "v3"]) {
    const next = await scene.ready(version, QUICK);
    const { args } = await before.says("drained");
    // The client of the probe is none of them; whether it was still counted is a race.
    expect(args).toMatchObject([{ moved: 1_000, reset: 0 }]);
    await before.end("SIGTERM");
    before = next;
  }
  const answers = await Promise.all(all.map(async (client, index) => client.ask(`text ${index}`)));
  expect(answers).toEqual(all.map(() => ({ version: "v3", last: false })));
  expect(wrong(all)).toEqual([]);
  for (const client of all) client.destroy();
});

test("connections that are busy all the time are not closed either: each moves after one of its answers", async () => {
  await using scene = await Scene.open();
  let before = await scene.ready("v1", QUICK);
  const clients = await open(scene.port, 40);
  const over = new AbortController();
  const lasts: string[] = [];
  const asking = clients.map(async (client, index) => {
    for (let count = 0; !over.signal.aborted; count++) {
      const { version, last } = await client.ask(`${index}-${count}`);
      if (last) lasts.push(`${version} ended ${index} after ${count}`);
      await sleep(Math.random() * 20);
    }
  });
  for (const version of ["v2", "v3", "v4"]) {
    const next = await scene.ready(version, QUICK);
    expect((await before.says("drained"))["args"]).toMatchObject([{ moved: 40, reset: 0 }]);
    await before.end("SIGTERM");
    before = next;
  }
  over.abort();
  await Promise.all(asking);
  expect(lasts).toEqual([]);
  expect(wrong(clients)).toEqual([]);
  for (const client of clients) client.destroy();
});

test("an adopted connection that stays idle is closed after keepAliveTimeout, with no word; a request ends that time", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1", QUICK);
  const [idle, asking, silent] = (await open(scene.port, 3)) as [KeepAliveClient, KeepAliveClient, KeepAliveClient];
  for (const client of [idle, asking]) await client.ask("first");
  await scene.ready("v2", { ...QUICK, KEEP_ALIVE_MS: "1000" });
  await first.says("drained");
  // Answered after more than keepAliveTimeout and Node's buffer of a second.
  expect(await asking.ask("late", "/late?3000")).toEqual({ version: "v2", last: false });
  while (idle.wrong.length === 0) await sleep(50);
  // What it had got before is the answer to its own request: no 408 came.
  expect(idle.wrong).toEqual([expect.stringMatching(/^closed by the server after "HTTP\/1.1 200 OK.*first"$/s)]);
  // One that had sent nothing yet has the time of a new connection.
  expect(await silent.ask("first")).toEqual({ version: "v2", last: false });
  for (const client of [asking, silent]) client.destroy();
});
