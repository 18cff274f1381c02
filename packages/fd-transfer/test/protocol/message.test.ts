// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { HandoffError } from "../../src/errors.ts";
import { decodeFrame, encodeFrame, MAX_FRAME_BYTES } from "../../src/protocol/frame.ts";
import { intoBatches } from "../../src/protocol/batches.ts";
import { decodeMessage, encodeMessage, MAX_BATCH } from "../../src/protocol/message.ts";
import { blob, item, message, u16, u8 } from "./any-message.ts";

test("what is encoded is decoded, for every message", () => {
  fc.assert(
    fc.property(message, u16, (one, seq) => {
      expect(decodeMessage(encodeMessage(one, seq))).toEqual({ message: one, seq });
    }),
    { numRuns: 500 },
  );
});

test("a body of any bytes under any type throws nothing but a HandoffError, and never takes long", () => {
  fc.assert(
    fc.property(u8, blob(400), (type, body) => {
      try {
        decodeMessage(encodeFrame({ type, flags: 0, seq: 0, body }));
      } catch (error) {
        expect(error).toBeInstanceOf(HandoffError);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("a message that is cut anywhere is refused", () => {
  fc.assert(
    fc.property(message, fc.nat(), (one, at) => {
      const { body, ...frame } = decodeFrame(encodeMessage(one, 0));
      fc.pre(body.length > 0);
      // Before restMs, where an earlier minor version ends.
      fc.pre(one.type !== "CONN_ACK" || at % body.length !== body.length - 2);
      const cut = encodeFrame({ ...frame, body: body.subarray(0, at % body.length) });
      expect(() => decodeMessage(cut)).toThrow(HandoffError);
    }),
  );
});

test("an answer of an earlier minor version, without restMs, asks for no rest", () => {
  const answer = { type: "CONN_ACK", batch: 3, taken: [true, false], restMs: 9 } as const;
  const { body, ...frame } = decodeFrame(encodeMessage(answer, 0));
  const earlier = encodeFrame({ ...frame, body: body.subarray(0, body.length - 2) });
  expect(decodeMessage(earlier).message).toEqual({ ...answer, restMs: 0 });
});

test("bytes after the last field are ignored: a later minor version may add fields", () => {
  const { body, ...frame } = decodeFrame(encodeMessage({ type: "COMMIT", epoch: 5n }, 0));
  const longer = encodeFrame({ ...frame, body: Uint8Array.from([...body, 1, 2, 3]) });
  expect(decodeMessage(longer).message).toEqual({ type: "COMMIT", epoch: 5n });
});

test("an announced length is checked against its cap before anything is allocated", () => {
  // NACK whose reason announces 65,535 bytes; FDS that announces 241 items.
  for (const [type, body] of [
    [20, [0xff, 0xff]],
    [5, [0, 0, 241, 0]],
  ] as const) {
    const frame = encodeFrame({ type, flags: 0, seq: 0, body: Uint8Array.from(body) });
    expect(() => decodeMessage(frame)).toThrow(HandoffError);
  }
});

test("texts must be UTF-8, booleans 0 or 1, choices known", () => {
  for (const [type, body] of [
    [20, [2, 0, 0xc3, 0x28]],
    [6, [0, 0, 0, 0, 2, 0, 0]],
    [4, [9, 0, 0]],
  ] as const) {
    const frame = encodeFrame({ type, flags: 0, seq: 0, body: Uint8Array.from(body) });
    expect(() => decodeMessage(frame)).toThrow(/HOT4003/);
  }
});

test.each([
  ["x".repeat(5000), "x".repeat(1024)],
  // 3 bytes each: the 342nd would end at 1026.
  ["€".repeat(2000), "€".repeat(341)],
  [`${"x".repeat(1023)}é`, "x".repeat(1023)],
  ["\ud800 alone", "\ufffd alone"],
])(
  "a reason that is too long is cut, at a whole character: it must never keep its message from being sent",
  (reason, cut) => {
    const sent = encodeMessage({ type: "NACK", reason }, 0);
    expect(decodeMessage(sent).message).toEqual({ type: "NACK", reason: cut });
  },
);

test("batches keep the order and both limits, and none is empty", () => {
  const entry = fc.record({ item });
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 700, size: "max" }), (entries) => {
      const batches = intoBatches(entries);
      expect(batches.flat()).toEqual(entries);
      for (const [batch, items] of batches.entries()) {
        expect(items.length).toBeGreaterThan(0);
        expect(items.length).toBeLessThanOrEqual(MAX_BATCH);
        const bytes = encodeMessage({ type: "FDS", batch, items: items.map((one) => one.item) }, 0);
        expect(bytes.length).toBeLessThanOrEqual(MAX_FRAME_BYTES);
      }
    }),
    { numRuns: 20 },
  );
});
