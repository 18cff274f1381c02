// SPDX-License-Identifier: Apache-2.0
import { readSync } from "node:fs";
import { expect, test } from "vitest";
import { loadNative } from "../../src/native/addon.ts";
import { closing, codeOf, isCloseOnExec, openDescriptors, pair } from "./descriptors.ts";

const native = loadNative();
const hello = Buffer.from("hello");

test("a message arrives whole, with its descriptors and the credentials of its sender", () => {
  const [a, b] = pair();
  const listener = closing(native.listenTcp("127.0.0.1", 0, { backlog: 8 }));
  expect(native.send(a, hello, [listener])).toBe(hello.length);
  const message = native.recv(b, 100);
  expect(message).toMatchObject({ truncated: false, controlTruncated: false });
  expect(message?.data.toString()).toBe("hello");
  expect(message?.cred).toEqual({ pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() });
  expect(message?.fds).toHaveLength(1);
  closing(message?.fds ?? []);
});

test("received descriptors are close-on-exec (K11) and name the same socket (K20)", () => {
  const [a, b] = pair();
  const listener = closing(native.listenTcp("127.0.0.1", 0, { backlog: 8 }));
  native.send(a, hello, [listener, listener]);
  const fds = closing(native.recv(b, 100)?.fds ?? []);
  expect(fds).toHaveLength(2);
  for (const fd of fds) {
    expect(isCloseOnExec(fd)).toBe(true);
    expect(native.socketInfo(fd).cookie).toBe(native.socketInfo(listener).cookie);
  }
  const another = closing(native.listenTcp("127.0.0.1", 0, { backlog: 8 }));
  expect(native.socketInfo(another).cookie).not.toBe(native.socketInfo(listener).cookie);
});

test("252 descriptors go in one message, 253 are refused before the kernel or musl decides (K1, K2)", () => {
  const [a, b] = pair();
  const many = (count: number): number[] => Array.from({ length: count }, () => a);
  expect(native.send(a, hello, many(252))).toBe(hello.length);
  const message = native.recv(b, 100);
  expect(message?.controlTruncated).toBe(false);
  expect(closing(message?.fds ?? [])).toHaveLength(252);
  expect(codeOf(() => native.send(a, hello, many(253)))).toBe("EINVAL");
});

test("empty data is refused: it could lose its descriptors or pass for the end of the stream (K3)", () => {
  const [a, b] = pair();
  expect(codeOf(() => native.send(a, new Uint8Array(0), [a]))).toBe("EINVAL");
  expect(native.recv(b, 100)).toBeNull();
});

test("messages are not merged: each has its own bytes and descriptors (no K4 on SEQPACKET)", () => {
  const [a, b] = pair();
  native.send(a, Buffer.from("plain"), []);
  native.send(a, Buffer.from("one"), [a]);
  native.send(a, Buffer.from("two"), [a, a]);
  const seen = [1, 2, 3].map(() => native.recv(b, 100));
  for (const message of seen) closing(message?.fds ?? []);
  expect(seen.map((message) => [message?.data.toString(), message?.fds.length])).toEqual([
    ["plain", 0],
    ["one", 1],
    ["two", 2],
  ]);
});

test("a plain read closes descriptors without a trace, so nobody else may read this socket (K5)", () => {
  const [a, b] = pair();
  const before = openDescriptors();
  native.send(a, hello, [a, a, a]);
  expect(readSync(b, Buffer.alloc(100))).toBe(5);
  expect(openDescriptors()).toEqual(before);
});

test("a message that is too long is reported as such, and its descriptors still reach the caller", () => {
  const [a, b] = pair();
  const before = openDescriptors();
  native.send(a, hello, [a, a]);
  const message = native.recv(b, 3);
  expect(message?.data.toString()).toBe("hel");
  expect(message?.truncated).toBe(true);
  expect(message?.fds).toHaveLength(2);
  for (const fd of message?.fds ?? []) native.close(fd);
  expect(openDescriptors()).toEqual(before);
});

test("a message larger than the send buffer is refused with EMSGSIZE (K24)", () => {
  const [a, b] = pair();
  expect(native.send(a, Buffer.alloc(100_000, 1), [])).toBe(100_000);
  expect(native.recv(b, 1 << 20)?.data.length).toBe(100_000);
  expect(codeOf(() => native.send(a, Buffer.alloc(4 << 20), []))).toBe("EMSGSIZE");
});

test("nothing there is null, full is false, a closed peer is the end for the reader and EPIPE for the writer", () => {
  const [a, b] = pair();
  expect(native.recv(b, 100)).toBeNull();
  let sent = 0;
  while (native.send(a, Buffer.alloc(1000), [])) sent += 1;
  expect(sent).toBeGreaterThan(0);
  for (let left = sent; left > 0; left -= 1) expect(native.recv(b, 1000)?.data.length).toBe(1000);
  expect(native.send(a, hello, [])).toBe(hello.length);
  native.close(a);
  expect(native.recv(b, 100)?.data.toString()).toBe("hello");
  expect(native.recv(b, 100)).toMatchObject({ fds: [], cred: null });
  expect(native.recv(b, 100)?.data.length).toBe(0);
  expect(codeOf(() => native.send(b, hello, []))).toBe("EPIPE");
});

test("a reset comes before messages that are still queued, so it means: read on", () => {
  const [a, b] = pair();
  native.send(a, Buffer.from("last words"), []);
  native.send(b, Buffer.from("never read"), []);
  native.close(a);
  expect(codeOf(() => native.recv(b, 100))).toBe("ECONNRESET");
  expect(native.recv(b, 100)?.data.toString()).toBe("last words");
  expect(native.recv(b, 100)?.data.length).toBe(0);
});

test("descriptors in an Int32Array are those of an array: sent, identified, and checked", () => {
  const [a, b] = pair();
  const listeners = [1, 2, 3].map(() => closing(native.listenTcp("127.0.0.1", 0, { backlog: 8 })));
  const known = native.identify(listeners);
  expect(new Set(known).size).toBe(4); // three cookies, and that they listen
  expect(native.identify(Int32Array.from(listeners))).toEqual(known);
  expect(native.send(a, hello, Int32Array.from(listeners).subarray(1))).toBe(hello.length);
  expect(native.identify(closing(native.recv(b, 100)?.fds ?? []))).toEqual(known.subarray(2));
  expect(native.send(a, hello, new Int32Array())).toBe(hello.length);
  expect(native.recv(b, 100)?.fds).toEqual([]);
  expect(codeOf(() => native.send(a, hello, Int32Array.of(listeners[0] ?? 0, -1)))).toBe("EBADF");
  expect(codeOf(() => native.send(a, hello, new Int32Array(253)))).toBe("EINVAL");
  expect(codeOf(() => native.identify(Int32Array.of(-1)))).toBe("EBADF");
});

test("10,000 descriptors in acknowledged batches of 240: all arrive, none is left over", () => {
  const [a, b] = pair();
  const listener = closing(native.listenTcp("127.0.0.1", 0, { backlog: 8 }));
  const { cookie } = native.socketInfo(listener);
  const before = openDescriptors();
  let arrived = 0;
  for (let left = 10_000; left > 0; left -= 240) {
    const batch = Array.from({ length: Math.min(left, 240) }, () => listener);
    expect(native.send(a, hello, batch)).toBe(hello.length);
    const message = native.recv(b, 100);
    expect(message?.controlTruncated).toBe(false);
    for (const fd of message?.fds ?? []) {
      if (native.socketInfo(fd).cookie === cookie) arrived += 1;
      native.close(fd);
    }
  }
  expect(arrived).toBe(10_000);
  expect(openDescriptors()).toEqual(before);
});
