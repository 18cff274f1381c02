// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { HandoffError } from "../src/errors.ts";
import { decodeFrame, encodeFrame } from "../src/protocol/frame.ts";
import { decodeMessage, encodeMessage } from "../src/protocol/message.ts";
import { message } from "../test/protocol/any-message.ts";

type Change = readonly [kind: number, at: number, value: number];

const BODY_LIMIT = 60_000;
/** Lengths and counts are little-endian numbers in the body: their limits and the neighbours are tried most. */
const value = fc.oneof(fc.constantFrom(0, 1, 2, 127, 128, 240, 241, 252, 253, 255), fc.nat(255));
const change: fc.Arbitrary<Change> = fc.tuple(fc.nat(5), fc.nat(BODY_LIMIT), value);
const input = fc.record({
  base: fc.nat(1999),
  type: fc.oneof({ weight: 7, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(255) }),
  changes: fc.array(change, { maxLength: 4 }),
  raw: fc.nat(9).map((one) => one === 0),
});

function changed(body: Uint8Array, changes: readonly Change[]): Uint8Array {
  const bytes = [...body];
  for (const [kind, anywhere, byte] of changes) {
    const at = anywhere % (bytes.length + 1);
    if (kind === 0) bytes.splice(at);
    else if (kind === 1) bytes.splice(at, 1);
    else if (kind === 2) bytes.splice(at, 0, byte);
    else if (kind === 3) bytes.splice(at, 2, 255, 255);
    else bytes[at] = byte;
  }
  return Uint8Array.from(bytes.slice(0, BODY_LIMIT));
}

/**
 * Decodes messages that were changed behind the sender's back, with a right checksum and, one in ten, without. Each is
 * either refused by a HandoffError, or means the same after it has been encoded and decoded again.
 *
 * @returns How many inputs were tried and how many of them were messages.
 */
export function fuzzCodec(runs: number, seed: number): { runs: number; decoded: number } {
  const bases = fc.sample(message, { numRuns: 2000, seed }).map((one) => decodeFrame(encodeMessage(one, 7)));
  const count = { runs: 0, decoded: 0 };
  const check = fc.property(input, ({ base, type, changes, raw }) => {
    const frame = bases[base] ?? { type: 0, flags: 0, seq: 0, body: new Uint8Array() };
    const body = changed(frame.body, raw ? [] : changes);
    const sent = encodeFrame({ ...frame, type: type ?? frame.type, body });
    const bytes = raw ? changed(sent, changes) : sent;
    count.runs += 1;
    let first: ReturnType<typeof decodeMessage>;
    try {
      first = decodeMessage(bytes);
    } catch (error) {
      return error instanceof HandoffError;
    }
    count.decoded += 1;
    return isDeepStrictEqual(decodeMessage(encodeMessage(first.message, first.seq)), first);
  });
  fc.assert(check, { numRuns: runs, seed });
  return count;
}
