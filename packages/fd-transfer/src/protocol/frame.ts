// SPDX-License-Identifier: Apache-2.0
import { crc32c } from "./crc32c.ts";
import { violation } from "./violation.ts";

/** `HFT1`, then u8 type, u8 flags, u16 seq, u32 length of the body, u32 crc32c. Little endian. */
export const HEADER_BYTES = 16;
/** Header and body; far below the limit of a SEQPACKET message (about 212,000 bytes with the default wmem). */
export const MAX_FRAME_BYTES = 64 * 1024;

const MAGIC = 0x31544648; // "HFT1" read as little endian

export interface Frame {
  readonly type: number;
  readonly flags: number;
  /** Counts per direction and wraps at 65,536; a gap means that a message was lost. */
  readonly seq: number;
  readonly body: Uint8Array;
}

export function encodeFrame(frame: Frame): Uint8Array {
  const total = HEADER_BYTES + frame.body.byteLength;
  if (total > MAX_FRAME_BYTES) throw violation(`a frame of ${total} bytes is over the limit of ${MAX_FRAME_BYTES}`);
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, frame.type);
  view.setUint8(5, frame.flags);
  view.setUint16(6, frame.seq, true);
  view.setUint32(8, frame.body.byteLength, true);
  bytes.set(frame.body, HEADER_BYTES);
  view.setUint32(12, checksum(bytes), true);
  return bytes;
}

/** Throws a {@link HandoffError} for anything that is not exactly one frame; allocates nothing by the peer's word. */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.byteLength < HEADER_BYTES) throw violation(`a message of ${bytes.byteLength} bytes has no header`);
  if (bytes.byteLength > MAX_FRAME_BYTES) throw violation(`a message of ${bytes.byteLength} bytes is over the limit`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw violation("the message does not begin with HFT1");
  const length = view.getUint32(8, true);
  if (length !== bytes.byteLength - HEADER_BYTES) {
    throw violation(`the header announces ${length} bytes, ${bytes.byteLength - HEADER_BYTES} came`);
  }
  if (view.getUint32(12, true) !== checksum(bytes)) throw violation("the checksum is wrong");
  return {
    type: view.getUint8(4),
    flags: view.getUint8(5),
    seq: view.getUint16(6, true),
    body: bytes.subarray(HEADER_BYTES),
  };
}

/** Over the header without its last field, and the body. */
function checksum(bytes: Uint8Array): number {
  return crc32c(bytes.subarray(0, 12), bytes.subarray(HEADER_BYTES));
}
