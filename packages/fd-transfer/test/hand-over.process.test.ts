// SPDX-License-Identifier: Apache-2.0
import { createConnection } from "node:net";
import { once } from "node:events";
import { request } from "node:http";
import { expect, test } from "vitest";
import { Scene, versions } from "./fixtures/fixture-process.ts";
import { ask, Load } from "./fixtures/load.ts";
import { askProbe } from "./fixtures/ask-probe.ts";

test("four generations under load: nothing fails, and all serve on one and the same socket", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const cookie = (await first.says("ready"))["cookie"];
  const load = new Load(scene.port);
  await load.answeredBy("v1");
  let before = first;
  for (const version of ["v2", "v3", "v4"]) {
    const next = await scene.ready(version);
    expect(await next.says("ready")).toMatchObject({ cookie, role: "successor" });
    await load.answeredBy(version);
    before.kill("SIGTERM");
    expect(await before.exited).toEqual({ code: 0, signal: null });
    expect((await before.says("drained"))["args"]).toMatchObject([{ reset: 0 }]);
    before = next;
  }
  await load.answeredBy("v4");
  const report = await load.stop();
  expect(report.failures).toEqual([]);
});

test("a response that streams through the hand-over is delivered whole, and so is the next request", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const socket = createConnection(scene.port, "127.0.0.1");
  let text = "";
  socket.on("data", (chunk) => (text += String(chunk)));
  socket.write("GET /through HTTP/1.1\r\nHost: a\r\n\r\n");
  await once(socket, "data");
  const second = await scene.ready("v2");
  while (!text.endsWith("0\r\n\r\n")) await once(socket, "data");
  const parts = [...text.matchAll(/part (\d+) /g)].map((match) => Number(match[1]));
  expect(parts.length).toBeGreaterThan(10);
  expect(parts).toEqual(parts.map((_, index) => index));
  // Idle now, the connection moves: the same client goes on with the new process.
  await first.says("drained");
  text = "";
  socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
  while (!text.endsWith("hi")) await once(socket, "data");
  expect(text).toContain("x-version: v2");
  expect(text).toContain("Connection: keep-alive");
  expect(second.has("failed")).toBe(false);
  socket.destroy();
});

test("TERM to the owner gives back to the standby; nothing fails", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const load = new Load(scene.port);
  const second = await scene.ready("v2");
  await load.answeredBy("v2");
  const mark = first.said.length;
  second.kill("SIGTERM");
  expect(await second.exited).toEqual({ code: 0, signal: null });
  await first.says("owner", mark);
  await load.answeredBy("v1");
  const report = await load.stop();
  expect(report.failures).toEqual([]);
});

test("after it has taken back, the old side hands over to the next attempt", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1", versions(5, 7));
  const second = await scene.ready("v2", versions(7, 5));
  await second.end("SIGTERM");
  await first.says("owner", first.said.length - 1);
  const load = new Load(scene.port);
  await scene.ready("v2b", versions(7, 5));
  await load.answeredBy("v2b");
  expect((await load.stop()).failures).toEqual([]);
});

test("R6, R9: the third generation releases the first, which waits again and serves when nobody else does", async () => {
  await using scene = await Scene.open();
  const first = await scene.ready("v1");
  const second = await scene.ready("v2");
  const load = new Load(scene.port);
  const third = await scene.ready("v3");
  await load.answeredBy("v3");
  expect((await load.stop()).failures).toEqual([]);
  expect(first.child.exitCode).toBeNull();
  const mark = second.said.length;
  await third.end();
  await second.says("owner", mark);
  expect(await ask(scene.port, false, "x")).toBe("v2");
  const firstMark = first.said.length;
  await second.end();
  await first.says("owner", firstMark);
  expect(await ask(scene.port, false, "x")).toBe("v1");
});

test("R9: an older side that restarts stands by, and serves when the newer one is gone", async () => {
  await using scene = await Scene.open();
  const newer = await scene.ready("v2", versions(7, 5));
  const older = scene.start("v1", versions(5, 7));
  expect(await older.says("open")).toMatchObject({ role: "standby" });
  expect(await ask(scene.port, false, "x")).toBe("v2");
  expect(await askProbe(scene.dir, 5)).toMatch(/^\+/);
  await newer.end();
  await older.says("ready");
  expect(await ask(scene.port, false, "x")).toBe("v1");
});

test("the receipt: the newer side says no before the takeover and yes after it; the older one always says yes", async () => {
  await using scene = await Scene.open();
  await scene.ready("v1", versions(5, 0));
  expect(await askProbe(scene.dir, 5)).toMatch(/^\+/);
  const second = scene.start("v2", { ...versions(7, 5), READY_DELAY_MS: "700" });
  await second.says("listening");
  expect(await askProbe(scene.dir, 7)).toMatch(/^-/);
  expect(await askProbe(scene.dir, 5)).toMatch(/^\+/);
  await second.says("ready");
  expect(await askProbe(scene.dir, 7)).toMatch(/^\+/);
  expect(await askProbe(scene.dir, 5)).toMatch(/^\+/);
});

test("TERM to a lone owner: it accepts on, and ends when it is quiet", async () => {
  await using scene = await Scene.open();
  const only = await scene.ready("v1");
  const outgoing = request({ host: "127.0.0.1", port: scene.port, path: "/slow?10", agent: false });
  outgoing.end();
  await once(outgoing, "response").then(([response]) => {
    only.kill("SIGTERM");
    (response as NodeJS.ReadableStream).resume();
  });
  expect(await ask(scene.port, false, "still")).toBe("v1");
  expect(await only.exited).toEqual({ code: 0, signal: null });
});
