// SPDX-License-Identifier: Apache-2.0
// Listeners that are asked for at once, or later: each is served, and one that cannot be had takes nothing from the others.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import type { HandoffError } from "../src/errors.ts";
import { HotHandoff } from "../src/handoff.ts";
import { Lineage } from "../src/ownership.ts";
import { Scene } from "./fixtures/fixture-process.ts";
import { ask } from "./fixtures/load.ts";

const host = "127.0.0.1";

async function open(scene: Scene): Promise<HotHandoff & { readonly retries: string[] }> {
  const hot = await HotHandoff.open({ name: "fixture", dir: scene.dir, env: {}, timeouts: { guardMs: 20 } });
  const retries: string[] = [];
  hot.events.on("retry", ({ reason }) => retries.push(reason));
  return Object.assign(hot, { retries });
}

/** Serves on a port; answers with its name. */
async function serve(hot: HotHandoff, key: string, port = 0): Promise<number> {
  const listener = await hot.listener(key, { port, host });
  listener.attach(createServer((_, response) => response.setHeader("x-version", key).end("x")));
  return listener.address.port;
}

async function stray(port = 0): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createTcpServer().listen(port, host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => void (await new Promise((resolve) => server.close(resolve))),
  };
}

async function freePorts(count: number): Promise<number[]> {
  await using held = new AsyncDisposableStack();
  const ports: number[] = [];
  for (let index = 0; index < count; index++) ports.push(held.use(await stray()).port);
  return ports;
}

test("one that is added to an owner is accepted on at once, and passed on like the others", async () => {
  await using scene = await Scene.open();
  await using hot = await open(scene);
  await serve(hot, "http", scene.port);
  await hot.ready();
  const added = await serve(hot, "admin");
  expect(await ask(added, false, "x")).toBe("admin");
  await using next = await open(scene);
  const listener = await next.listener("admin", { port: added, host });
  expect(listener.inherited).toBe(true);
});

test("one whose address is taken is refused to an owner, which serves on with what it has", async () => {
  await using scene = await Scene.open();
  await using hot = await open(scene);
  const port = await serve(hot, "http");
  await hot.ready();
  const { epoch } = hot;
  await using other = await stray();
  const bad = hot.listener("admin", { port: other.port, host });
  const good = serve(hot, "metrics");
  await expect(bad).rejects.toMatchObject({ code: "HOT4010" });
  expect(await ask(await good, false, "x")).toBe("metrics");
  expect(await ask(port, false, "x")).toBe("http");
  expect([hot.isOwner, hot.epoch, hot.retries]).toEqual([true, epoch, []]);
  // The key is free again.
  expect(await ask(await serve(hot, "admin"), false, "x")).toBe("admin");
});

test("two that are asked for at once are bound once each", async () => {
  await using scene = await Scene.open();
  await using hot = await open(scene);
  const ports = await freePorts(2);
  const { epoch } = hot;
  await Promise.all([serve(hot, "a", ports[0]), serve(hot, "b", ports[1])]);
  await hot.ready();
  expect(await Promise.all(ports.map(async (port) => ask(port, false, "x")))).toEqual(["a", "b"]);
  expect([hot.epoch, hot.retries]).toEqual([epoch, []]);
});

test("a process that takes over and has two more than the old one", async () => {
  await using scene = await Scene.open();
  await scene.ready("v1");
  await using hot = await open(scene);
  const ports = await freePorts(2);
  await Promise.all([serve(hot, "http", scene.port), serve(hot, "a", ports[0]), serve(hot, "b", ports[1])]);
  await hot.ready();
  expect(await Promise.all(ports.map(async (port) => ask(port, false, "x")))).toEqual(["a", "b"]);
  expect(hot.retries).toEqual([]);
});

test("one whose address is taken when a later attempt is made calls that attempt off; whoever is left serves", async () => {
  await using scene = await Scene.open();
  const old = await scene.ready("v1");
  await using hot = await open(scene);
  const [port = 0] = await freePorts(1);
  await serve(hot, "http", scene.port);
  await serve(hot, "more", port);
  const probe = async (): Promise<void> => {
    throw new Error("not yet");
  };
  await expect(hot.ready({ probe })).rejects.toMatchObject({ code: "HOT4007" });
  const other = await stray(port);
  const mark = old.said.length;
  await expect(hot.ready()).rejects.toMatchObject({ code: "HOT4010" });
  expect((await old.says("rollback", mark))["args"]).toMatchObject([{ how: "aborted" }]);
  // It has asked again since; nothing of the attempt is in its way, nor is it there when the old process dies.
  expect(hot.retries.filter((reason) => reason.includes("busy"))).toEqual([]);
  await old.end();
  await other[Symbol.asyncDispose]();
  await hot.ready();
  expect(await ask(scene.port, false, "x")).toBe("http");
  expect(await ask(port, false, "x")).toBe("more");
});

test("one that is closed a second time does nothing to a later one of its key", async () => {
  await using scene = await Scene.open();
  await using hot = await open(scene);
  const first = await hot.listener("http", { port: 0, host });
  first.close();
  const port = await serve(hot, "http");
  first.close();
  await hot.ready();
  first.close();
  expect(await ask(port, false, "x")).toBe("http");
});

test("a server is attached to one listener, and may go to another when that is closed", async () => {
  await using scene = await Scene.open();
  await using hot = await open(scene);
  const server = createServer((_, response) => response.setHeader("x-version", "b").end("x"));
  const [a, b] = [await hot.listener("a", { port: 0, host }), await hot.listener("b", { port: 0, host })];
  a.attach(server);
  expect(() => b.attach(server)).toThrow(/HOT4014 .*listener a/);
  const [before, warn] = [server.listenerCount("connection"), vi.spyOn(process, "emitWarning")];
  a.close();
  b.attach(server);
  // What keeps count of them has been told of this server before; what moves them is the listener's.
  expect(server.listenerCount("connection") - before).toBe(1);
  expect(warn).not.toHaveBeenCalled();
  await hot.ready();
  expect(await ask(b.address.port, false, "x")).toBe("b");
});

test("one that is asked for during a hand-over comes when this process owns again, not as a queue that nobody reads", async () => {
  await using scene = await Scene.open();
  await using first = await open(scene);
  await serve(first, "http", scene.port);
  await first.ready();
  const second = await open(scene);
  await serve(second, "http", scene.port);
  let came = "";
  const added: Promise<number>[] = [];
  const add = (key: string): void => {
    const port = serve(first, key);
    void port.then(() => (came += `${key} `));
    added.push(port);
  };
  first.events.once("role", () => (came += "standby "));
  // The first probe is before COMMIT, the second one within the guard.
  await second.ready({ probe: async () => add(`late${added.length}`) });
  while (first.role !== "standby") await sleep(5);
  add("late2");
  await sleep(50);
  expect(came).toBe("standby ");
  await second.close();
  const ports = await Promise.all(added);
  expect(await Promise.all(ports.map(async (port) => ask(port, false, "x")))).toEqual(["late0", "late1", "late2"]);
  // One that is called off lets it go on as well.
  const third = await open(scene);
  await serve(third, "http", scene.port);
  const probe = async (): Promise<void> => {
    add("late3");
    throw new Error("unwell");
  };
  await expect(third.ready({ probe })).rejects.toMatchObject({ code: "HOT4007" });
  await third.close();
  expect(await ask((await added[3])!, false, "x")).toBe("late3");
});

test("one that is asked for by a standby comes with the attempt that succeeds, whatever became of one before", async () => {
  await using scene = await Scene.open();
  const standing = async (version: string): Promise<HotHandoff> =>
    HotHandoff.open({
      name: "fixture",
      dir: scene.dir,
      env: { SIDECARSET_VERSION: version },
      timeouts: { guardMs: 20, backOffMs: 20 },
    });
  await using newer = await standing("2");
  await serve(newer, "http", scene.port);
  await newer.ready();
  await using older = await standing("1");
  expect(older.role).toBe("standby");
  const asked = older.listener("http", { port: scene.port, host });
  const adopt = vi.spyOn(Lineage, "adopt").mockImplementationOnce(() => {
    throw new Error("not now");
  });
  onTestFinished(() => adopt.mockRestore());
  // Told to stop, it hands over to an older process as well.
  const rollback = once(newer.events, "rollback");
  void newer.terminate();
  expect(await rollback).toEqual([{ how: "aborted", reason: "not now" }]);
  expect(await asked).toMatchObject({ inherited: true });
});

test("one whose address is taken is not bound by a hand-off that was closed meanwhile", async () => {
  await using scene = await Scene.open();
  const other = await stray();
  const hot = await open(scene);
  await serve(hot, "http");
  await hot.ready();
  const more = async (key: string): Promise<string> =>
    hot.listener(key, { port: other.port, host }).then(
      () => "bound",
      (error: unknown) => (error as HandoffError).code,
    );
  const outcomes = [more("tried before")];
  await sleep(30);
  outcomes.push(more("at once"));
  await hot.close();
  await other[Symbol.asyncDispose]();
  expect(await Promise.all(outcomes)).toEqual(["HOT4013", "HOT4013"]);
});
