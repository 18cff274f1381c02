// SPDX-License-Identifier: Apache-2.0
import type { Field } from "./field.ts";
import { added, blob, bool, list, oneOf, Reader, sentence, struct, text, u16, u32, u64, u8, Writer } from "./field.ts";
import { decodeFrame, encodeFrame } from "./frame.ts";
import { violation } from "./violation.ts";

/** Descriptors in one FDS message; the kernel allows 253, musl 252. */
export const MAX_BATCH = 240;
const MAX_BATCHES = 256;
/** Kinds of connections that one process declares. */
export const MAX_KINDS = 200;
const KEY_BYTES = 255;
const REASON_BYTES = 1024;

/** What one passed descriptor is. `lock` is L, `word` is WORD; the rest are the application's. */
export interface FdItem {
  readonly key: string;
  readonly kind: "lock" | "word" | "listener" | "datagram" | "connection" | "state";
  readonly domain: number;
  readonly type: number;
  readonly proto: number;
  /** Host or path; empty when the descriptor is no socket. */
  readonly address: string;
  readonly port: number;
  /** SO_COOKIE, 0 when the descriptor is no socket. */
  readonly cookie: bigint;
  readonly backlog: number;
  readonly v6only: boolean;
  readonly reusePort: boolean;
  readonly ifname: string;
  readonly netnsIno: bigint;
  readonly meta: Uint8Array;
}

/** What one passed connection is. Its bytes follow those of the item before it: first meta, then unread. */
export interface ConnItem {
  /** Place in the keys of MOVING. */
  readonly key: number;
  /** SO_COOKIE. */
  readonly cookie: bigint;
  readonly metaBytes: number;
  /** Read from the connection and not used: they come before everything that the kernel still has. */
  readonly unreadBytes: number;
}

export interface Bodies {
  HELLO: {
    readonly protoMin: number;
    readonly protoMax: number;
    readonly name: string;
    readonly epochKnown: bigint;
    readonly version: bigint;
    readonly startedAt: bigint;
    readonly uid: number;
    readonly nonce: Uint8Array;
    readonly mac: Uint8Array;
    readonly caps: number;
  };
  WELCOME: {
    readonly proto: number;
    readonly epoch: bigint;
    readonly count: number;
    readonly batches: number;
    readonly stateBytes: number;
    readonly caps: number;
  };
  BUSY: { readonly retryAfterMs: number; readonly by: string };
  REFUSE: { readonly code: "standby" | "version" | "auth" | "name" | "protocol"; readonly reason: string };
  FDS: { readonly batch: number; readonly items: readonly FdItem[] };
  FDS_ACK: { readonly batch: number; readonly count: number; readonly ok: boolean; readonly reason: string };
  PREPARED: { readonly adopted: readonly string[]; readonly closed: readonly string[] };
  PING: { readonly id: number };
  PONG: { readonly id: number };
  COMMIT: { readonly epoch: bigint };
  COMMITTED: { readonly epoch: bigint };
  ACCEPTING: object;
  GUARD_OK: object;
  YIELD: object;
  YIELDED: object;
  DRAINED: { readonly connections: number; readonly destroyed: number; readonly ms: number; readonly moved: number };
  NACK: { readonly reason: string };
  RELEASE: object;
  CLOSED: { readonly key: string };
  /** From who drains, first on a connection of its own: connections of these kinds may move. */
  MOVE: {
    readonly protoMin: number;
    readonly protoMax: number;
    readonly name: string;
    readonly version: bigint;
    readonly startedAt: bigint;
    readonly nonce: Uint8Array;
    readonly mac: Uint8Array;
    readonly keys: readonly string[];
  };
  /** Those of them that the owner takes, and how many descriptors it can open. */
  MOVING: { readonly proto: number; readonly keys: readonly string[]; readonly fdBudget: number };
  /** One socket for each item, then one sealed memory with the bytes of all, if there are any. */
  CONN: { readonly batch: number; readonly items: readonly ConnItem[] };
  /** `restMs`: the next batch should not come before; 0 = at once. */
  CONN_ACK: { readonly batch: number; readonly taken: readonly boolean[]; readonly restMs: number };
}

export type MessageType = keyof Bodies;
export type Message = { [T in MessageType]: { readonly type: T } & Bodies[T] }[MessageType];
export type MessageOf<T extends MessageType> = Extract<Message, { readonly type: T }>;

const short = text(KEY_BYTES);
const kind = oneOf("lock", "word", "listener", "datagram", "connection", "state");
const ifname = text(16);
const meta = blob(4096);
/** Field by field, as `struct` would: a hand-over has thousands of items, and so they take half the time. */
const item: Field<FdItem> = {
  write(writer, value) {
    short.write(writer, value.key);
    kind.write(writer, value.kind);
    u8.write(writer, value.domain);
    u8.write(writer, value.type);
    u16.write(writer, value.proto);
    short.write(writer, value.address);
    u16.write(writer, value.port);
    u64.write(writer, value.cookie);
    u32.write(writer, value.backlog);
    bool.write(writer, value.v6only);
    bool.write(writer, value.reusePort);
    ifname.write(writer, value.ifname);
    u64.write(writer, value.netnsIno);
    meta.write(writer, value.meta);
  },
  read: (r) => ({
    key: short.read(r),
    kind: kind.read(r),
    domain: u8.read(r),
    type: u8.read(r),
    proto: u16.read(r),
    address: short.read(r),
    port: u16.read(r),
    cookie: u64.read(r),
    backlog: u32.read(r),
    v6only: bool.read(r),
    reusePort: bool.read(r),
    ifname: ifname.read(r),
    netnsIno: u64.read(r),
    meta: meta.read(r),
  }),
};
const conn = struct<ConnItem>({ key: u16, cookie: u64, metaBytes: u32, unreadBytes: u32 });
const keys = list(text(KEY_BYTES), 1024);
/** A frame has room for 200 of them even if each has 255 bytes. */
const kinds = list(text(KEY_BYTES), MAX_KINDS);
const nothing = struct<object>({});

/** The bytes of every message, and its number. 7 is not used. */
const bodies: { readonly [T in MessageType]: readonly [number, Field<Bodies[T]>] } = {
  HELLO: [
    1,
    struct<Bodies["HELLO"]>({
      protoMin: u16,
      protoMax: u16,
      name: text(KEY_BYTES),
      epochKnown: u64,
      version: u64,
      startedAt: u64,
      uid: u32,
      nonce: blob(32),
      mac: blob(32),
      caps: u32,
    }),
  ],
  WELCOME: [
    2,
    struct<Bodies["WELCOME"]>({ proto: u16, epoch: u64, count: u32, batches: u16, stateBytes: u32, caps: u32 }),
  ],
  BUSY: [3, struct<Bodies["BUSY"]>({ retryAfterMs: u32, by: sentence(REASON_BYTES) })],
  REFUSE: [
    4,
    struct<Bodies["REFUSE"]>({
      code: oneOf("standby", "version", "auth", "name", "protocol"),
      reason: sentence(REASON_BYTES),
    }),
  ],
  FDS: [5, struct<Bodies["FDS"]>({ batch: u16, items: list(item, MAX_BATCH) })],
  FDS_ACK: [6, struct<Bodies["FDS_ACK"]>({ batch: u16, count: u16, ok: bool, reason: sentence(REASON_BYTES) })],
  PREPARED: [8, struct<Bodies["PREPARED"]>({ adopted: keys, closed: keys })],
  PING: [9, struct<Bodies["PING"]>({ id: u32 })],
  PONG: [10, struct<Bodies["PONG"]>({ id: u32 })],
  COMMIT: [11, struct<Bodies["COMMIT"]>({ epoch: u64 })],
  COMMITTED: [12, struct<Bodies["COMMITTED"]>({ epoch: u64 })],
  ACCEPTING: [13, nothing],
  GUARD_OK: [14, nothing],
  CONN: [15, struct<Bodies["CONN"]>({ batch: u16, items: list(conn, MAX_BATCH) })],
  CONN_ACK: [16, struct<Bodies["CONN_ACK"]>({ batch: u16, taken: list(bool, MAX_BATCH), restMs: added(u16) })],
  YIELD: [17, nothing],
  YIELDED: [18, nothing],
  DRAINED: [19, struct<Bodies["DRAINED"]>({ connections: u32, destroyed: u32, ms: u32, moved: u32 })],
  NACK: [20, struct<Bodies["NACK"]>({ reason: sentence(REASON_BYTES) })],
  RELEASE: [21, nothing],
  CLOSED: [22, struct<Bodies["CLOSED"]>({ key: text(KEY_BYTES) })],
  MOVE: [
    23,
    struct<Bodies["MOVE"]>({
      protoMin: u16,
      protoMax: u16,
      name: text(KEY_BYTES),
      version: u64,
      startedAt: u64,
      nonce: blob(32),
      mac: blob(32),
      keys: kinds,
    }),
  ],
  MOVING: [24, struct<Bodies["MOVING"]>({ proto: u16, keys: kinds, fdBudget: u32 })],
};

const byNumber = new Map(Object.entries(bodies).map(([type, [number]]) => [number, type as MessageType]));

/** All but the header, which depends on when it is sent. */
export function encodeBody(message: Message): Uint8Array {
  const writer = new Writer();
  (bodies[message.type][1] as Field<Message>).write(writer, message);
  return writer.finish();
}

export function encodeMessage(message: Message, seq: number, body: Uint8Array = encodeBody(message)): Uint8Array {
  return encodeFrame({ type: bodies[message.type][0], flags: 0, seq, body });
}

/** Throws a HandoffError for anything else than one well-formed message, whatever the bytes are. */
export function decodeMessage(bytes: Uint8Array): { readonly message: Message; readonly seq: number } {
  const frame = decodeFrame(bytes);
  const type = byNumber.get(frame.type);
  if (type === undefined) throw violation(`message type ${frame.type} is unknown`);
  const body = bodies[type][1].read(new Reader(frame.body));
  if (type === "WELCOME" && (body as Bodies["WELCOME"]).batches > MAX_BATCHES) throw violation("too many batches");
  return { message: { type, ...body } as Message, seq: frame.seq };
}
