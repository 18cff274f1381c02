// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { expect, test } from "vitest";
import { dup, isListening, recvFds, sendFds, socketInfo } from "../src/index.ts";
import { loadNative } from "../src/native/addon.ts";
import { closing, folder, pair } from "./native/descriptors.ts";

test("a descriptor that is sent and received is the same socket, and tells whether it listens", () => {
  const [a, b] = pair();
  const listener = closing(loadNative().listenTcp("127.0.0.1", 0, { backlog: 1 }));
  expect(recvFds(b)).toBeNull();
  expect(sendFds(a, [listener, a], Buffer.from("two"))).toBe(3);
  const received = recvFds(b);
  const [first = -1, second = -1] = closing(received?.fds ?? []);
  expect(received?.data.toString()).toBe("two");
  expect(socketInfo(first).cookie).toBe(socketInfo(listener).cookie);
  expect([isListening(first), isListening(second)]).toEqual([true, false]);
  expect(socketInfo(closing(dup(second))).cookie).toBe(socketInfo(a).cookie);
  expect(() => isListening(-1)).toThrow(expect.objectContaining({ code: "EBADF" }));
});

test("a stream takes what it has room for, with the descriptors, and tells how much that was", () => {
  const native = loadNative();
  const path = join(folder(), "stream.sock");
  const listener = closing(native.listenUnix(path, 1, 0o600));
  const client = closing(native.connectUnix(path, "stream"));
  const server = closing(native.accept(listener) ?? -1);
  const bytes = Buffer.alloc(4 << 20, "x");
  const sent = sendFds(client, [listener], bytes);
  expect(sent).toBeGreaterThan(0);
  expect(sent).toBeLessThan(bytes.byteLength);
  let [came, fds] = [0, 0];
  for (let part = recvFds(server); part !== null; part = recvFds(server)) {
    came += part.data.byteLength;
    fds += closing(part.fds).length;
  }
  expect({ came, fds }).toEqual({ came: sent, fds: 1 });
});
