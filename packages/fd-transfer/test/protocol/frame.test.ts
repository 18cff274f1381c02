// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { HandoffError } from "../../src/errors.ts";
import { crc32c } from "../../src/protocol/crc32c.ts";
import { decodeFrame, encodeFrame, HEADER_BYTES, MAX_FRAME_BYTES } from "../../src/protocol/frame.ts";

const bytes = (max: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: max });

test("crc32c: the check value of the Castagnoli polynomial, and RFC 3720's test vectors", () => {
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x46dd794e);
});

test("crc32c of pieces is that of the whole", () => {
  fc.assert(fc.property(bytes(50), bytes(50), (a, b) => crc32c(a, b) === crc32c(Uint8Array.from([...a, ...b]))));
});

test("the header is HFT1, type, flags, seq, length, checksum, little endian", () => {
  const frame = encodeFrame({ type: 9, flags: 2, seq: 0x0102, body: new Uint8Array([7]) });
  expect([...frame.subarray(0, 12)]).toEqual([0x48, 0x46, 0x54, 0x31, 9, 2, 2, 1, 1, 0, 0, 0]);
  expect(new DataView(frame.buffer).getUint32(12, true)).toBe(crc32c(frame.subarray(0, 12), new Uint8Array([7])));
});

test("what is encoded is decoded", () => {
  const frame = fc.record({ type: fc.nat(255), flags: fc.nat(255), seq: fc.nat(65_535), body: bytes(300) });
  fc.assert(
    fc.property(frame, (one) => {
      expect(decodeFrame(encodeFrame(one))).toEqual(one);
    }),
  );
});

test("any bytes either are a frame or throw a HandoffError", () => {
  fc.assert(
    fc.property(bytes(200), (any) => {
      expect(() => decodeFrame(any)).toThrow(HandoffError);
    }),
  );
});

test("a frame with any one byte changed is refused", () => {
  fc.assert(
    fc.property(bytes(60), fc.nat(), fc.integer({ min: 1, max: 255 }), (body, at, change) => {
      const frame = encodeFrame({ type: 1, flags: 0, seq: 0, body });
      const index = at % frame.length;
      frame[index] = (frame[index] ?? 0) ^ change;
      expect(() => decodeFrame(frame)).toThrow(HandoffError);
    }),
  );
});

test("one byte over the limit is refused on both sides", () => {
  const body = new Uint8Array(MAX_FRAME_BYTES - HEADER_BYTES + 1);
  expect(() => encodeFrame({ type: 1, flags: 0, seq: 0, body })).toThrow(/limit/);
  expect(() => decodeFrame(new Uint8Array(MAX_FRAME_BYTES + 1))).toThrow(/limit/);
  expect(encodeFrame({ type: 1, flags: 0, seq: 0, body: body.subarray(1) })).toHaveLength(MAX_FRAME_BYTES);
});
