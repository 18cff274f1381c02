// SPDX-License-Identifier: Apache-2.0
// Both sides wait for the first probe of a process that has just started: it must not pay for what can be had before, or
// need not be had at all.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer } from "node:http";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { HotHandoff } from "../src/index.ts";
import { secureDirectory } from "../src/directory.ts";
import { loadNative } from "../src/native/addon.ts";
import { NativeError } from "../src/native/native-error.ts";
import { OwnedFd } from "../src/native/owned-fd.ts";
import { connectPast } from "../src/private-connection.ts";
import { MAX_FRAME_BYTES } from "../src/protocol/frame.ts";
import { decodeMessage } from "../src/protocol/message.ts";
import { warmUp } from "../src/warm-up.ts";
import { Scene } from "./fixtures/fixture-process.ts";
import { closing, folder, openDescriptors } from "./native/descriptors.ts";

/** Counts the requests that any HTTP server of this process gets. */
function countRequests(): { count: number } {
  const requests = { count: 0 };
  const more = (): void => void requests.count++;
  subscribe("http.server.request.start", more);
  onTestFinished(() => void unsubscribe("http.server.request.start", more));
  return requests;
}

test("a private connection loads no resolver of names", async () => {
  await using scene = await Scene.open();
  const { answer, loaded, all } = await scene.start("v1", {}, "cold-probe.ts").says("answered");
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n.*hello$/s);
  expect(all).toBeGreaterThan(50);
  expect((loaded as string[]).filter((name) => /dns|cares/.test(name))).toEqual([]);
});

test("HTTP is warm before an owner is asked, and nothing is left of it", async () => {
  const dir = folder();
  secureDirectory(dir, "user");
  // It never answers.
  const owner = closing(loadNative().listenSeqpacket(join(dir, "owner.sock"), 0o600, 4));
  const before = openDescriptors();
  const requests = countRequests();
  const waits = new AbortController();
  const opened = HotHandoff.open({ name: "warm", dir, env: {}, signal: waits.signal });
  const told = opened.catch((reason: unknown) => reason);
  const come = async (): Promise<OwnedFd> => {
    for (;;) {
      const fd = loadNative().accept(owner);
      if (fd !== null) return new OwnedFd(fd);
      await sleep(1);
    }
  };
  const hello = (from: OwnedFd): unknown => {
    const received = loadNative().recv(from.fd, MAX_FRAME_BYTES);
    return received === null || received.data.length === 0 ? null : decodeMessage(received.data).message.type;
  };
  using looked = await come();
  expect(requests.count).toBe(0);
  using asked = await come();
  expect(requests.count).toBe(1);
  expect([looked, asked].map(hello)).toEqual([null, "HELLO"]);
  waits.abort("enough");
  expect(await told).toBe("enough");
  for (const one of [looked, asked]) one.close();
  expect(openDescriptors()).toEqual(before);
});

test("a warm-up for which descriptors are lacking leaves none behind", async () => {
  const native = loadNative();
  const dup = native.dup.bind(native);
  let left = 1;
  native.dup = (fd) => {
    if (left-- > 0) return dup(fd);
    throw new NativeError("EMFILE", 24, "dup", "none is left");
  };
  onTestFinished(() => void (native.dup = dup));
  const before = openDescriptors();
  await warmUp();
  await new Promise(setImmediate);
  expect(left).toBeLessThan(0);
  expect(openDescriptors()).toEqual(before);
});

test("a private connection that this process has no descriptor to accept ends quietly", async () => {
  const native = loadNative();
  const accept = native.accept.bind(native);
  native.accept = () => {
    throw new NativeError("EMFILE", 24, "accept4", "none is left");
  };
  onTestFinished(() => void (native.accept = accept));
  const thrown: unknown[] = [];
  const onThrown = (error: unknown): void => void thrown.push(error);
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException").on("uncaughtException", onThrown);
  onTestFinished(() => {
    process.off("uncaughtException", onThrown);
    for (const one of others) process.on("uncaughtException", one);
  });
  const before = openDescriptors();
  await expect(connectPast(createServer())).rejects.toMatchObject({ code: "EMFILE" });
  while (openDescriptors().length > before.length) await sleep(1);
  expect(thrown).toEqual([]);
});

test("who finds no owner has nobody to wait for, and warms nothing up", async () => {
  const requests = countRequests();
  await using hot = await HotHandoff.open({ name: "warm", dir: folder(), env: {} });
  expect(hot.role).toBe("fresh");
  expect(requests.count).toBe(0);
});

test("strangers at the private door are turned away, and only our own connection reaches the server", async () => {
  await using hot = await HotHandoff.open({ name: "door", dir: folder(), env: {} });
  const http = await hot.listener("http", { port: 0, host: "127.0.0.1" });
  const server = createServer();
  const served: (number | undefined)[] = [];
  server.on("connection", (socket) => served.push(socket.remotePort));
  http.attach(server);
  const native = loadNative();
  const listen = native.listenTcp.bind(native);
  const strangers: ReturnType<typeof createConnection>[] = [];
  native.listenTcp = (...args) => {
    const fd = listen(...args);
    const { address } = native.socketInfo(fd);
    if (address !== null && "port" in address) strangers.push(createConnection(address.port, "127.0.0.1"));
    return fd;
  };
  onTestFinished(() => void (native.listenTcp = listen));
  const socket = await http.connectPrivately();
  await Promise.all(
    strangers.map(async (stranger) =>
      once(
        stranger.on("error", () => undefined),
        "close",
      ),
    ),
  );
  expect(strangers).toHaveLength(1);
  expect(served).toEqual([socket.localPort]);
  socket.destroy();
});
