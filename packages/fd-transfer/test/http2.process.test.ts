// SPDX-License-Identifier: Apache-2.0
// HTTP/2 sessions cannot move: they end by GOAWAY, and a client that may send again what was refused loses nothing.
import { connect } from "node:http2";
import { once } from "node:events";
import { expect, test } from "vitest";
import { mayEnd } from "../src/http2-sessions.ts";
import { Scene } from "./fixtures/fixture-process.ts";
import { RetryingClient } from "./fixtures/h2-client.ts";

test("three upgrades under clients with pauses: every request is answered, and what was refused may be sent again", async () => {
  await using scene = await Scene.open();
  let before = scene.start("v1", {}, "h2.ts");
  await before.says("ready");
  // Each a stream at a time, with pauses longer than the moment that counts as quiet.
  const clients = Array.from({ length: 8 }, () => new RetryingClient(scene.port, 1, () => 100 + Math.random() * 100));
  for (const version of ["v2", "v3", "v4"]) {
    const next = scene.start(version, {}, "h2.ts");
    await next.says("ready");
    expect(await before.says("drained")).toMatchObject({ reset: 0, resetBusy: 0 });
    before.kill("SIGTERM");
    await before.exited;
    await Promise.all(clients.map(async (client) => client.answeredBy(version, 3)));
    before = next;
  }
  await Promise.all(clients.map(async (client) => client.stop()));
  expect(clients.flatMap(({ failures }) => failures)).toEqual([]);
  expect(clients.map(({ sessions }) => sessions)).toEqual(clients.map(() => 4));
  // A request that crosses the GOAWAY of its session on the way; no more than one for each session that ended.
  for (const { retried } of clients) expect(retried).toBeLessThanOrEqual(3);
});

test("a client that is never quiet: only what was not begun is refused, and sent again nothing is lost", async () => {
  await using scene = await Scene.open();
  const first = scene.start("v1", {}, "h2.ts");
  await first.says("ready");
  const busy = new RetryingClient(scene.port, 40, () => 0);
  await busy.answeredBy("v1");
  await scene.start("v2", {}, "h2.ts").says("ready");
  expect(await first.says("drained")).toMatchObject({ closed: 1, reset: 0 });
  await busy.answeredBy("v2");
  await busy.stop();
  expect(busy.failures).toEqual([]);
  expect(busy.sessions).toBe(2);
});

test("at the deadline a session with an endless stream is reset, and counted", async () => {
  await using scene = await Scene.open();
  const only = scene.start("v1", { ANSWER_MS: "600000", GRACE_MS: "2000" }, "h2.ts");
  await only.says("ready");
  const session = connect(`http://127.0.0.1:${scene.port}`).on("error", () => undefined);
  const stream = session.request({ ":method": "POST" }).on("error", () => undefined);
  await once(session, "remoteSettings");
  only.kill("SIGTERM");
  expect(await only.says("drained")).toMatchObject({ connections: 1, closed: 0, reset: 1 });
  await only.exited;
  stream.destroy();
});

test("when a session may end", () => {
  expect(mayEnd({ waitedMs: -1, streams: 0, quietMs: 1e6 })).toBe(false);
  expect(mayEnd({ waitedMs: 0, streams: 0, quietMs: 50 })).toBe(true);
  expect(mayEnd({ waitedMs: 0, streams: 0, quietMs: 49 })).toBe(false);
  expect(mayEnd({ waitedMs: 4_999, streams: 1, quietMs: 1e6 })).toBe(false);
  expect(mayEnd({ waitedMs: 5_000, streams: 1, quietMs: 0 })).toBe(true);
});
