// SPDX-License-Identifier: Apache-2.0
import { MAX_FRAME_BYTES } from "./frame.ts";
import type { FdItem } from "./message.ts";
import { MAX_BATCH } from "./message.ts";

/** More than the fixed fields of one item take. */
const FIXED_BYTES = 64;
const ROOM_BYTES = MAX_FRAME_BYTES - 1024;

/** Cuts the items, in order, into FDS messages that keep the limits of descriptors and bytes. Never empty. */
export function intoBatches<T extends { readonly item: FdItem }>(entries: readonly T[]): readonly (readonly T[])[] {
  const batches: T[][] = [];
  let batch: T[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const { key, address, ifname, meta } = entry.item;
    // A UTF-16 unit takes at most 3 bytes in UTF-8.
    const size = FIXED_BYTES + 3 * (key.length + address.length + ifname.length) + meta.byteLength;
    if (batch.length > 0 && (batch.length === MAX_BATCH || bytes + size > ROOM_BYTES)) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(entry);
    bytes += size;
  }
  batches.push(batch);
  return batches;
}
