// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import type { FdItem, Message } from "../../src/protocol/message.ts";

export const u8 = fc.nat(0xff);
export const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const u64 = fc.bigInt(0n, 0xffffffffffffffffn);
const text = fc.string({ maxLength: 60, unit: "binary" });
const keys = fc.array(text, { maxLength: 20 });
export const blob = (max: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: max });
export const item: fc.Arbitrary<FdItem> = fc.record({
  key: text,
  kind: fc.constantFrom("lock", "word", "listener", "datagram", "connection", "state"),
  domain: u8,
  type: u8,
  proto: u16,
  address: text,
  port: u16,
  cookie: u64,
  backlog: u32,
  v6only: fc.boolean(),
  reusePort: fc.boolean(),
  ifname: fc.string({ maxLength: 4 }),
  netnsIno: u64,
  meta: blob(100),
});
const of = (type: string, fields: Record<string, fc.Arbitrary<unknown>> = {}): fc.Arbitrary<Message> =>
  fc.record({ type: fc.constant(type), ...fields }) as unknown as fc.Arbitrary<Message>;

/** A well-formed message of any type, with fields of any value. */
export const message: fc.Arbitrary<Message> = fc.oneof(
  of("HELLO", {
    protoMin: u16,
    protoMax: u16,
    name: text,
    epochKnown: u64,
    version: u64,
    startedAt: u64,
    uid: u32,
    nonce: blob(32),
    mac: blob(32),
    caps: u32,
  }),
  of("WELCOME", { proto: u16, epoch: u64, count: u32, batches: fc.nat(256), stateBytes: u32, caps: u32 }),
  of("BUSY", { retryAfterMs: u32, by: text }),
  of("REFUSE", { code: fc.constantFrom("standby", "version", "auth", "name", "protocol"), reason: text }),
  of("FDS", { batch: u16, items: fc.array(item, { maxLength: 12 }) }),
  of("FDS_ACK", { batch: u16, count: u16, ok: fc.boolean(), reason: text }),
  of("PREPARED", { adopted: keys, closed: keys }),
  of("PING", { id: u32 }),
  of("PONG", { id: u32 }),
  of("COMMIT", { epoch: u64 }),
  of("COMMITTED", { epoch: u64 }),
  of("ACCEPTING"),
  of("GUARD_OK"),
  of("YIELD"),
  of("YIELDED"),
  of("DRAINED", { connections: u32, destroyed: u32, ms: u32, moved: u32 }),
  of("CONN", {
    batch: u16,
    items: fc.array(fc.record({ key: u16, cookie: u64, metaBytes: u32, unreadBytes: u32 }), { maxLength: 240 }),
  }),
  of("CONN_ACK", { batch: u16, taken: fc.array(fc.boolean(), { maxLength: 240 }), restMs: u16 }),
  of("MOVE", {
    protoMin: u16,
    protoMax: u16,
    name: text,
    version: u64,
    startedAt: u64,
    nonce: blob(32),
    mac: blob(32),
    keys,
  }),
  of("MOVING", { proto: u16, keys, fdBudget: u32 }),
  of("NACK", { reason: text }),
  of("RELEASE"),
  of("CLOSED", { key: text }),
);
