// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { loadAddon } from "../../src/native/addon.ts";
import { NativeError } from "../../src/native/native-error.ts";
import { openDescriptors, pair } from "./descriptors.ts";

const addon = loadAddon();
const functions = Object.entries(addon) as [string, (...values: unknown[]) => unknown][];

const detached = new Uint8Array(8);
structuredClone(detached.buffer, { transfer: [detached.buffer] });

/** Nothing in here is a descriptor that is open, a path, or a length that makes sense. */
const nonsense: unknown[] = [
  undefined,
  null,
  true,
  "",
  "\0abstract",
  "x\0y",
  "x".repeat(5000),
  -1,
  -2147483649,
  2147483647,
  2147483648,
  4294967296,
  1e308,
  Number.NaN,
  Infinity,
  -Infinity,
  0.5,
  10n,
  Symbol("s"),
  {},
  [],
  [-1],
  ["3"],
  [undefined],
  () => undefined,
  Array.from({ length: 253 }, () => 0),
  Object.assign([], { length: 4_294_967_295 }),
  new Uint8Array(0),
  detached,
  new Uint16Array(4),
  new Int32Array([-1]),
  new Int32Array(253),
  new DataView(new ArrayBuffer(8)),
  new ArrayBuffer(8),
  new Date(),
  new Proxy([], {
    get: () => {
      throw new NativeError("ETRAP", 0, "get", "a getter that throws");
    },
  }),
  {
    get backlog(): number {
      throw new NativeError("ETRAP", 0, "get", "a getter that throws");
    },
  },
  { backlog: -1 },
  { backlog: 1e9 },
  { backlog: 1, v6only: 1 },
  { backlog: 1, reusePort: "yes" },
];

/** Every argument list up to three values would be 60,000 calls; each value in each place finds the same. */
function* argumentLists(good: readonly unknown[]): Generator<unknown[]> {
  yield [];
  for (const value of nonsense) {
    yield [value];
    yield [value, value, value, value];
    for (let place = 0; place < good.length; place += 1) yield good.with(place, value);
  }
}

test("the addon has exactly the functions of its contract", () => {
  expect(functions.map(([name]) => name).sort()).toEqual([
    "accept",
    "bindUdp",
    "close",
    "connectSeqpacket",
    "connectUnix",
    "createMemory",
    "createPoller",
    "createWord",
    "dup",
    "exchangeEpoch",
    "identify",
    "isOpen",
    "listenSeqpacket",
    "listenTcp",
    "listenUnix",
    "lockExclusive",
    "mapWord",
    "memorySize",
    "peerCredentials",
    "recv",
    "sealMemory",
    "send",
    "socketInfo",
    "socketpair",
  ]);
});

const good: Record<string, (fd: number) => unknown[]> = {
  send: (fd) => [fd, Buffer.from("x"), []],
  recv: (fd) => [fd, 10],
  exchangeEpoch: (fd) => [fd, 1n, 2n],
  listenTcp: () => ["192.0.2.1", 0, { backlog: 1 }],
  bindUdp: () => ["192.0.2.1", 0, { receiveBytes: 0 }],
  listenSeqpacket: () => ["/nonexistent/s", 0o600, 1],
  connectUnix: () => ["/nonexistent/s", "stream"],
  listenUnix: () => ["/nonexistent/s", 1, 0o600],
};

test.each(functions.filter(([name]) => !["socketpair", "isOpen", "createMemory"].includes(name)))(
  "%s throws a NativeError on nonsense, never crashes, leaks nothing",
  (name, call) => {
    const [a] = pair();
    const before = openDescriptors();
    let calls = 0;
    for (const list of argumentLists(good[name]?.(a) ?? [])) {
      calls += 1;
      try {
        const result = call(...list);
        if (name === "createWord") addon.close(result as number); // every u32 is a good value
      } catch (error) {
        expect(error).toBeInstanceOf(NativeError);
      }
    }
    expect(calls).toBeGreaterThan(2 * nonsense.length);
    expect(openDescriptors()).toEqual(before);
  },
);

test("a getter that takes the bytes away while the descriptors are read leaves nothing to send", () => {
  const [a, b] = pair();
  const data = new Uint8Array(64);
  const fds = [a];
  Object.defineProperty(fds, 0, { get: () => (data.buffer.transfer(), a) });
  expect(() => addon.send(a, data, fds)).toThrow(NativeError);
  expect(addon.recv(b, 100)).toBeNull();
});

test("methods refuse another receiver", () => {
  const fd = addon.createWord(1);
  const word = addon.mapWord(fd);
  const poller = addon.createPoller(pair()[0], () => undefined);
  expect(() => word.load.call(poller as never)).toThrow(TypeError);
  expect(() => poller.start.call(word as never, 1)).toThrow(TypeError);
  expect(() => word.load.call({} as never)).toThrow(TypeError);
  expect(() => Reflect.construct(word.constructor, [])).toThrow(NativeError);
  expect(() => Reflect.construct(poller.constructor, [fd])).toThrow(NativeError);
  poller.close();
  addon.close(fd);
});
