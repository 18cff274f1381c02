// SPDX-License-Identifier: Apache-2.0
import { openSync } from "node:fs";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { loadNative } from "../../src/native/addon.ts";
import { DISCONNECT, Poller, READABLE, WRITABLE } from "../../src/native/poller.ts";
import { closing, codeOf, pair } from "./descriptors.ts";

const native = loadNative();
const hello = Buffer.from("hello");

/** A Poller, and a promise of its next event. */
function watch(fd: number): { poller: Poller; next: () => Promise<number>; seen: number[] } {
  const seen: number[] = [];
  let wake: (() => void) | null = null;
  const poller = new Poller(fd, (events) => {
    seen.push(events);
    wake?.();
  });
  onTestFinished(() => poller.close());
  const next = async (): Promise<number> => {
    const before = seen.length;
    while (seen.length === before) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return seen.at(-1) ?? 0;
  };
  return { poller, next, seen };
}

/** Lets the loop poll a few times: what has not been reported by then will not be. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
  await delay(5);
}

test("reports what it was started for: readable, writable, disconnect", async () => {
  const [a, b] = pair();
  const { poller, next, seen } = watch(b);
  poller.start(READABLE | DISCONNECT);
  await turns();
  expect(seen).toEqual([]);
  native.send(a, hello, []);
  expect(await next()).toBe(READABLE);
  native.recv(b, 10);
  poller.start(WRITABLE);
  expect(await next()).toBe(WRITABLE);
  poller.start(READABLE | DISCONNECT);
  native.close(a);
  expect((await next()) & DISCONNECT).toBe(DISCONNECT);
});

test("level-triggered: unread messages are reported again", async () => {
  const [a, b] = pair();
  const { poller, next } = watch(b);
  native.send(a, hello, []);
  poller.start(READABLE);
  await next();
  expect(await next()).toBe(READABLE);
});

test("a reset in front of queued messages is reported as readable and disconnect, and watching goes on", async () => {
  const [a, b] = pair();
  const { poller, next } = watch(b);
  poller.start(READABLE | DISCONNECT);
  native.send(a, Buffer.from("last words"), []);
  native.send(b, Buffer.from("never read"), []);
  native.close(a);
  expect(await next()).toBe(READABLE | DISCONNECT);
  expect(codeOf(() => native.recv(b, 100))).toBe("ECONNRESET");
  expect((await next()) & READABLE).toBe(READABLE);
  expect(native.recv(b, 100)?.data.toString()).toBe("last words");
  expect((await next()) & READABLE).toBe(READABLE);
  expect(native.recv(b, 100)?.data.length).toBe(0);
});

test("after stop the descriptor can be closed although its socket lives on elsewhere, and is not reported (K16)", async () => {
  const [a, b] = pair();
  const elsewhere = closing(native.dup(b));
  const { poller, seen } = watch(b);
  poller.start(READABLE);
  await turns();
  poller.stop();
  native.close(b);
  native.send(a, hello, []);
  await turns();
  expect(seen).toEqual([]);
  expect(native.recv(elsewhere, 10)?.data.toString()).toBe("hello");
});

test("a descriptor that is watched is not closed by us", () => {
  const [, b] = pair();
  const { poller } = watch(b);
  poller.start(READABLE);
  expect(codeOf(() => native.close(b))).toBe("EBUSY");
  poller.stop();
  native.close(b);
  expect(codeOf(() => poller.start(READABLE))).toBe("EBADF");
});

test("one descriptor has one Poller on a loop", () => {
  const [, b] = pair();
  watch(b).poller.start(READABLE);
  expect(codeOf(() => new Poller(b, () => undefined))).toBe("EEXIST");
});

test("close within the callback, twice, and use after it", async () => {
  const [a, b] = pair();
  let events = 0;
  const poller = new Poller(b, () => {
    events += 1;
    poller.close();
    poller.close();
  });
  poller.start(READABLE);
  native.send(a, hello, []);
  await turns();
  expect(events).toBe(1);
  expect(codeOf(() => poller.start(READABLE))).toBe("EBADF");
  poller.stop();
  poller.ref();
  poller.unref();
  await turns();
  poller.close();
});

test("what cannot be polled is refused", () => {
  const file = closing(openSync("/proc/self/status", "r"));
  expect(codeOf(() => new Poller(-1, () => undefined))).toBe("EBADF");
  expect(codeOf(() => new Poller(1_000_000, () => undefined))).toBe("EBADF");
  const regular = closing(openSync(import.meta.filename, "r"));
  expect(codeOf(() => new Poller(regular, () => undefined))).toBe("EPERM");
  expect(file).toBeGreaterThan(0);
  for (const events of [0, 8, -1, 1.5]) {
    const [, b] = pair();
    expect(codeOf(() => watch(b).poller.start(events))).toBe("EINVAL");
  }
});
