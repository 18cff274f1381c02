// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { InteropError } from "../../src/interop/errors.ts";
import { AnswerReader, batchesOf, encodeInteger, encodeLabel, MAX_BATCH } from "../../src/interop/haproxy-wire.ts";

const label = fc.record({
  namespace: fc.string({ maxLength: 60, unit: "grapheme" }).filter((text) => Buffer.byteLength(text) <= 255),
  interfaceName: fc.string({ maxLength: 15, unit: "grapheme-ascii" }),
});

test("an answer of HAProxy, byte by byte as it was seen on a stats socket", () => {
  const reader = new AnswerReader(10);
  expect(reader.push(Buffer.from("03000000", "hex"), 0)).toBeNull();
  const tails = ["000000000000", "00026c6f00000000", "000000000000"].join("");
  expect(reader.push(Buffer.from(tails, "hex"), 3)).toBe(0);
  expect(reader.complete).toBe(true);
  expect(reader.labels.map(({ interfaceName }) => interfaceName)).toEqual(["", "lo", ""]);
  expect(encodeLabel({ namespace: "", interfaceName: "lo" }).toString("hex")).toBe("00026c6f00000000");
});

test("whatever is sent is read back, wherever the stream is cut, and each batch is acknowledged once", () => {
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 600 }), fc.integer({ min: 1, max: 3000 }), (labels, cut) => {
      const batches = [...batchesOf(labels.map(encodeLabel))];
      expect(batches.every(({ count, bytes }) => count <= MAX_BATCH && bytes.length <= 2048)).toBe(true);
      const reader = new AnswerReader(600);
      const acknowledged: number[] = [];
      const push = (bytes: Buffer, descriptors: number): void => {
        for (let at = 0; at < bytes.length; at += cut) {
          const answer = reader.push(bytes.subarray(at, at + cut), at === 0 ? descriptors : 0);
          if (answer !== null) acknowledged.push(answer);
        }
      };
      push(encodeInteger(labels.length), 0);
      for (const { count, bytes } of batches) push(bytes, count);
      expect(reader.labels).toEqual(labels);
      expect(reader.complete).toBe(true);
      let before = 0;
      const starts = batches.map(({ count }) => (before += count) - count);
      expect(acknowledged).toEqual(starts);
    }),
    { numRuns: 300 },
  );
});

test("10,000 random answers are read or refused, never anything else, and never more is kept than came", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.nat(3)), { maxLength: 8 }),
      fc.integer({ min: 0, max: 5 }),
      (parts, total) => {
        const reader = new AnswerReader(5);
        let descriptors = 0;
        try {
          reader.push(encodeInteger(total), 0);
          for (const [bytes, count] of parts) {
            reader.push(bytes, count);
            descriptors += count;
          }
        } catch (error) {
          expect(error).toBeInstanceOf(InteropError);
          expect((error as InteropError).code).toBe("HOT4031");
          return;
        }
        expect(reader.labels.length).toBeLessThanOrEqual(Math.min(descriptors, total));
      },
    ),
    { numRuns: 10_000 },
  );
});

test("names that HAProxy cannot have are refused before anything is sent", () => {
  expect(() => encodeLabel({ namespace: "", interfaceName: "x".repeat(16) })).toThrow(/^HOT4037/);
  expect(() => encodeLabel({ namespace: "x".repeat(256), interfaceName: "" })).toThrow(/^HOT4037/);
});
