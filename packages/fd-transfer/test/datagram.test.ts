// SPDX-License-Identifier: Apache-2.0
// What a slot does with a UDP socket that its application closes, at whatever moment.
import type { Socket } from "node:dgram";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { DatagramSlot } from "../src/datagram.ts";

const ENDS: [string, (slot: DatagramSlot) => void][] = [
  ["stops", (slot) => slot.stopAccepting()],
  ["lets go", (slot) => slot.letGo()],
  ["goes on", (slot) => slot.accept()],
];

function serve(socket: Socket): DatagramSlot {
  const slot = new DatagramSlot("dns", { port: 0, host: "127.0.0.1" });
  onTestFinished(() => slot.letGo());
  slot.attach(socket);
  slot.hold(slot.bind(), null);
  slot.accept();
  return slot;
}

test.each(ENDS)("a slot that %s between the close() of its socket and the event, a tick later", async (_, end) => {
  const socket = createSocket("udp4");
  const slot = serve(socket);
  const closed = once(socket, "close");
  socket.close();
  expect([slot.lingers, slot.silent]).toEqual([false, true]);
  end(slot);
  expect(slot.lingers).toBe(false);
  await closed;
  end(slot);
});

test.each(ENDS)("a slot that had stopped and %s in that tick", async (_, end) => {
  const socket = createSocket("udp4");
  const slot = serve(socket);
  slot.stopAccepting();
  expect(slot.lingers).toBe(true);
  const closed = once(socket, "close");
  socket.close();
  end(slot);
  expect(slot.lingers).toBe(false);
  await closed;
});

test("a socket that is closed before it was needed is not opened", async () => {
  const socket = createSocket("udp4");
  const slot = new DatagramSlot("dns", { port: 0, host: "127.0.0.1" });
  onTestFinished(() => slot.letGo());
  slot.attach(socket);
  slot.hold(slot.bind(), null);
  const closed = once(socket, "close");
  socket.close();
  slot.accept();
  expect(slot.silent).toBe(true);
  await closed;
  expect(() => new DatagramSlot("dns", { port: 0 }).attach(socket)).toThrow(/HOT4014 .*closed/);
});

test("a socket that is bound already, or about to be, is refused and stays the caller's", async () => {
  const socket = createSocket("udp4");
  onTestFinished(() => void socket.close());
  const slot = new DatagramSlot("dns", { port: 0, host: "127.0.0.1" });
  socket.bind(0, "127.0.0.1");
  expect(() => slot.attach(socket)).toThrow(/HOT4014 .*bound/);
  await once(socket, "listening");
  expect(() => slot.attach(socket)).toThrow(/HOT4014 .*bound/);
  expect(slot.attached).toBe(false);
});
