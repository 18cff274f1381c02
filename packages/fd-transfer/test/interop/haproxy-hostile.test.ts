// SPDX-License-Identifier: Apache-2.0
import { createConnection } from "node:net";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { getHaproxySockets, serveHaproxySockets } from "../../src/interop/index.ts";
import { encodeInteger } from "../../src/interop/haproxy-wire.ts";
import { loadNative } from "../../src/native/addon.ts";
import { Poller, READABLE } from "../../src/native/poller.ts";
import { closing, folder } from "../native/descriptors.ts";
import { cookies, cookiesOf, heldSockets } from "./loopback.ts";
import { eventually } from "./programs.ts";

type Send = (bytes: Uint8Array, fds?: readonly number[]) => void;
const PLAIN = Buffer.alloc(6);

/** Somebody who answers on a path with whatever this sends, and then ends unless told otherwise. */
function impostor(answer: (send: Send) => void, ends = true): string {
  const path = join(folder(), "s");
  const door = closing(loadNative().listenUnix(path, 4, 0o600));
  const poller = new Poller(door, () => {
    const fd = loadNative().accept(door) ?? -1;
    answer((bytes, fds = []) => {
      try {
        loadNative().send(fd, bytes, fds);
      } catch {
        // Refused already.
      }
    });
    if (ends) loadNative().close(fd);
    else closing(fd);
  });
  poller.start(READABLE);
  onTestFinished(() => poller.close());
  return path;
}

const listener = (): number => closing(loadNative().listenTcp("127.0.0.1", 0, { backlog: 1 }));

test.each<[string, string, (send: Send, fd: number) => void]>([
  ["ends at once", "HOT4032", () => undefined],
  ["announces none", "HOT4031", (send) => send(encodeInteger(0))],
  ["announces less than none", "HOT4031", (send) => send(encodeInteger(-1))],
  ["announces two thousand million", "HOT4031", (send) => send(encodeInteger(0x7fffffff))],
  ["ends in the middle", "HOT4031", (send, fd) => (send(encodeInteger(2)), send(PLAIN, [fd]))],
  ["ends within a label", "HOT4031", (send, fd) => (send(encodeInteger(1)), send(Buffer.from([0, 0, 0]), [fd]))],
  ["sends a label without a descriptor", "HOT4031", (send) => (send(encodeInteger(1)), send(PLAIN))],
  ["sends more descriptors", "HOT4031", (send, fd) => (send(encodeInteger(1)), send(PLAIN, [fd, fd]))],
  ["sends a descriptor with the number", "HOT4031", (send, fd) => send(encodeInteger(1).subarray(0, 2), [fd])],
  ["sends more bytes", "HOT4031", (send, fd) => (send(encodeInteger(1)), send(Buffer.alloc(7), [fd]))],
  ["sends a long name", "HOT4031", (send, fd) => (send(encodeInteger(1)), send(Buffer.from([0, 16]), [fd]))],
  ["speaks another language", "HOT4031", (send) => send(Buffer.from("Unknown command. Please enter one of …\n"))],
])("an impostor who %s is refused with %s, and nothing is kept", async (_, code, answer) => {
  const fd = listener();
  const path = impostor((send) => answer(send, fd));
  const base = heldSockets();
  await expect(getHaproxySockets(path)).rejects.toMatchObject({ code });
  await eventually("all sockets are back", () => heldSockets().length === base.length);
});

test("a file instead of a socket, and silence after a socket: nothing is kept", async () => {
  const file = openSync("/dev/null", "r");
  onTestFinished(() => closeSync(file));
  const fd = listener();
  const withFile = impostor((send) => (send(encodeInteger(2)), send(Buffer.alloc(12), [fd, file])));
  const silent = impostor((send) => (send(encodeInteger(2)), send(PLAIN, [fd])), false);
  const base = heldSockets();
  await expect(getHaproxySockets(withFile)).rejects.toMatchObject({ code: "HOT4031", message: /is no socket/ });
  await expect(getHaproxySockets(silent, { timeoutMs: 300 })).rejects.toMatchObject({ code: "HOT4036" });
  // The end that the impostor keeps.
  await eventually("all sockets are back", () => heldSockets().length === base.length + 1);
});

test("whoever asks amiss gets nothing, and the next one everything", async () => {
  const fds = [listener(), listener()];
  const failed: unknown[] = [];
  const path = join(folder(), "door");
  const base = heldSockets();
  const door = serveHaproxySockets(
    path,
    fds.map((fd) => ({ fd })),
    { onFailed: (error) => failed.push(error) },
  );
  onTestFinished(() => door.close());
  for (const words of ["GET / HTTP/1.0\r\n\r\n", "_getsocks", "_getsocks\n\n", "show info\n", ""]) {
    const client = createConnection(path);
    const got = once(client, "close");
    let bytes = 0;
    client.on("data", (chunk: Buffer) => (bytes += chunk.length));
    client.end(words);
    await got;
    expect(bytes).toBe(0);
  }
  expect(failed.map((error) => (error as { code?: string }).code)).toEqual(Array.from({ length: 5 }, () => "HOT4031"));
  // More than the door has room for, and all of them silent.
  const crowd = Array.from({ length: 40 }, () => createConnection(path).on("error", () => undefined));
  await eventually("the surplus is turned away", () => crowd.filter((client) => client.destroyed).length === 24);
  for (const client of crowd) client.destroy();
  await eventually("the others are noticed", () => failed.length === 21);
  using sockets = await getHaproxySockets(path);
  expect(cookies(sockets)).toEqual(cookiesOf(fds));
  sockets.close();
  door.close();
  door.close();
  await eventually("all sockets are back", () => heldSockets().length === base.length);
});

test("what is no socket is not served, and an empty door says nothing", async () => {
  const path = join(folder(), "door");
  const file = openSync("/dev/null", "r");
  onTestFinished(() => closeSync(file));
  const base = heldSockets();
  expect(() => serveHaproxySockets(path, [{ fd: listener() }, { fd: file }])).toThrow(/ENOTSOCK/);
  expect(heldSockets().length).toBe(base.length + 1);
  using _ = serveHaproxySockets(path, []);
  await expect(getHaproxySockets(path)).rejects.toMatchObject({ code: "HOT4032" });
});

test("a hundred exchanges leave no descriptor", async () => {
  const fds = [listener(), listener(), listener()];
  const path = join(folder(), "door");
  const base = heldSockets();
  for (let round = 0; round < 100; round++) {
    using _ = serveHaproxySockets(
      path,
      fds.map((fd) => ({ fd })),
    );
    using sockets = await getHaproxySockets(path);
    expect(cookies(sockets)).toEqual(cookiesOf(fds));
  }
  await eventually("all sockets are back", () => heldSockets().length === base.length);
});
