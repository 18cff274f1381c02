// SPDX-License-Identifier: Apache-2.0
import { createServer } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Channel } from "../../src/interop/channel.ts";
import { giveMigratedListener, takeMigratedListener } from "../../src/interop/index.ts";
import { loadNative } from "../../src/native/addon.ts";
import { Poller, READABLE } from "../../src/native/poller.ts";
import { closing, folder } from "../native/descriptors.ts";
import { cookies, cookiesOf, heldSockets } from "./loopback.ts";
import { eventually } from "./programs.ts";

const listener = (): number => closing(loadNative().listenTcp("127.0.0.1", 0, { backlog: 1 }));

/** An old process that does this when it is asked, and says this. */
async function old(deed: (path: string) => Promise<void>, says = "success"): Promise<{ path: string; url: string }> {
  const path = join(folder(), "migrate.sock");
  const server = createServer((_, response) => void deed(path).then(() => response.end(says)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { path, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/migrate` };
}

async function send(path: string, fds: readonly number[]): Promise<void> {
  using channel = Channel.connect(path, 5_000);
  await channel.send(Buffer.alloc(1), fds);
  await channel.receive();
}

async function hangUp(path: string): Promise<void> {
  const socket = connect(path);
  await once(socket, "connect");
  socket.destroy();
}

test("the listener comes over, and is kept when the answer is no or never comes", async () => {
  const fd = listener();
  for (const says of ["success", "failed"]) {
    const { path, url } = await old(async (to) => giveMigratedListener(fd, { path: to }), says);
    using sockets = await takeMigratedListener({ path, url });
    expect(cookies(sockets)).toEqual(cookiesOf([fd]));
    expect(existsSync(path)).toBe(false);
  }
  const { path, url } = await old(async (to) => {
    await giveMigratedListener(fd, { path: to });
    await new Promise(() => undefined);
  });
  using sockets = await takeMigratedListener({ path, url });
  expect(sockets.size).toBe(1);
});

test("a listener that comes a moment after a no is kept as well", async () => {
  const fd = listener();
  const later = async (path: string): Promise<void> =>
    void setTimeout(() => void giveMigratedListener(fd, { path }), 50);
  const { path, url } = await old(later, "failed");
  using sockets = await takeMigratedListener({ path, url });
  expect(cookies(sockets)).toEqual(cookiesOf([fd]));
});

test.each<[string, string, (path: string) => Promise<void>, string?]>([
  ["says no", "HOT4031", async () => undefined, "failed"],
  ["says yes and sends nothing", "HOT4036", async () => undefined],
  ["sends two", "HOT4031", async (path) => send(path, [listener(), listener()])],
  ["sends none", "HOT4031", async (path) => send(path, [])],
  ["hangs up", "HOT4031", async (path) => hangUp(path)],
  [
    "sends a socket that does not listen",
    "HOT4031",
    async (path) => send(path, [closing(loadNative().socketpair())[0]]),
  ],
  [
    "sends a datagram socket",
    "HOT4031",
    async (path) => send(path, [closing(loadNative().bindUdp("127.0.0.1", 0, { receiveBytes: 0 }))]),
  ],
  ["never answers", "HOT4030", async () => new Promise(() => undefined)],
])("an old process that %s is refused with %s, and nothing is kept", async (_, code, deed, says) => {
  const { path, url } = await old(deed, says);
  await expect(takeMigratedListener({ path, url, timeoutMs: 300 })).rejects.toMatchObject({ code });
  expect(existsSync(path)).toBe(false);
});

test("a new process that ends without having read the listener is told from one that has read it", async () => {
  const path = join(folder(), "s");
  const door = closing(loadNative().listenUnix(path, 4, 0o600));
  let reads = false;
  const poller = new Poller(door, () => {
    const fd = loadNative().accept(door) ?? -1;
    setTimeout(() => {
      const received = reads ? loadNative().recv(fd, 32) : null;
      for (const one of received?.fds ?? []) loadNative().close(one);
      loadNative().close(fd);
    }, 20);
  });
  poller.start(READABLE);
  onTestFinished(() => poller.close());
  const fd = listener();
  const base = heldSockets();
  await expect(giveMigratedListener(fd, { path })).rejects.toMatchObject({ code: "HOT4031" });
  reads = true;
  await giveMigratedListener(fd, { path });
  await expect(giveMigratedListener(fd, { path: join(folder(), "none") })).rejects.toMatchObject({ code: "HOT4030" });
  await eventually("all sockets are back", () => heldSockets().length === base.length);
  expect(loadNative().socketInfo(fd).accepting).toBe(true);
});

test("two new processes do not wait on one path", async () => {
  const { path, url } = await old(async () => new Promise(() => undefined));
  const first = takeMigratedListener({ path, url, timeoutMs: 300 });
  await expect(takeMigratedListener({ path, url, timeoutMs: 300 })).rejects.toMatchObject({ code: "EADDRINUSE" });
  await expect(first).rejects.toMatchObject({ code: "HOT4030" });
});
