// SPDX-License-Identifier: Apache-2.0
// The error of a process without a free descriptor says so, whatever it was about to do.
import { expect, onTestFinished, test, vi } from "vitest";
import { Holdings } from "../src/holdings.ts";
import { ListenerSlot } from "../src/listener.ts";
import { loadNative } from "../src/native/addon.ts";
import { NativeError } from "../src/native/native-error.ts";
import { connectToOwner } from "../src/owner-socket.ts";
import { ProbeSocket } from "../src/probe-socket.ts";

function fail(name: "connectSeqpacket" | "listenSeqpacket" | "listenTcp", code: string): void {
  const spy = vi.spyOn(loadNative(), name).mockImplementation(() => {
    throw new NativeError(code, 24, "socket", "none is left");
  });
  onTestFinished(() => spy.mockRestore());
}

test.each([
  ["EMFILE", "HOT4006"],
  ["ENFILE", "HOT4006"],
  ["EACCES", "HOT4002"],
])("%s on the way to the owner is %s", (code, expected) => {
  fail("connectSeqpacket", code);
  expect(() => connectToOwner("/nowhere")).toThrow(expect.objectContaining({ code: expected, phase: "hello" }));
});

test.each([
  ["EMFILE", "HOT4006"],
  ["EADDRNOTAVAIL", "HOT4014"],
])("%s when a listener is bound is %s", async (code, expected) => {
  fail("listenTcp", code);
  const holdings = new Holdings();
  holdings.addSlot(new ListenerSlot("http", { port: 0 }, () => undefined));
  await expect(holdings.bindAll(() => true)).rejects.toMatchObject({ code: expected, phase: "listen" });
});

test.each([
  ["EMFILE", "HOT4006"],
  ["ENOSPC", "HOT4001"],
])("%s when the probe's socket is made is %s", (code, expected) => {
  fail("listenSeqpacket", code);
  const make = (): unknown => new ProbeSocket("/nowhere", 1n, 0o600, () => ({ ok: true, sentence: "" }));
  expect(make).toThrow(expect.objectContaining({ code: expected, phase: "open" }));
});
