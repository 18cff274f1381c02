// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { dup, isListening, recvFds, sendFds, socketInfo } from "../src/index.ts";
import { loadNative } from "../src/native/addon.ts";
import { closing, pair } from "./native/descriptors.ts";

test("a descriptor that is sent and received is the same socket, and tells whether it listens", () => {
  const [a, b] = pair();
  const listener = closing(loadNative().listenTcp("127.0.0.1", 0, { backlog: 1 }));
  expect(recvFds(b)).toBeNull();
  expect(sendFds(a, [listener, a], Buffer.from("two"))).toBe(true);
  const received = recvFds(b);
  const [first = -1, second = -1] = closing(received?.fds ?? []);
  expect(received?.data.toString()).toBe("two");
  expect(socketInfo(first).cookie).toBe(socketInfo(listener).cookie);
  expect([isListening(first), isListening(second)]).toEqual([true, false]);
  expect(socketInfo(closing(dup(second))).cookie).toBe(socketInfo(a).cookie);
  expect(() => isListening(-1)).toThrow(expect.objectContaining({ code: "EBADF" }));
});
