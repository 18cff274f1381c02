// SPDX-License-Identifier: Apache-2.0
import { readSync, writeSync } from "node:fs";
import { loadNative } from "./native/addon.ts";
import { OwnedFd } from "./native/owned-fd.ts";

/** The chunks as one piece of memory that nobody can change any more, to be passed as a descriptor. Any size. */
export function sealBytes(chunks: readonly Uint8Array[]): OwnedFd {
  const native = loadNative();
  const memory = new OwnedFd(native.createMemory());
  try {
    for (const chunk of chunks) {
      for (let offset = 0; offset < chunk.byteLength;) offset += writeSync(memory.fd, chunk, offset);
    }
    native.sealMemory(memory.fd);
    return memory;
  } catch (error) {
    memory.close();
    throw error;
  }
}

/** Throws a NativeError (EINVAL) for a descriptor whose bytes could still change, and for one of another size. */
export function readSealed(fd: number, size?: number): Buffer {
  const found = loadNative().memorySize(fd);
  if (size !== undefined && found !== size) throw new Error(`a sealed memory has ${found} bytes, not ${size}`);
  const bytes = Buffer.allocUnsafe(found);
  for (let offset = 0; offset < bytes.byteLength;) {
    const count = readSync(fd, bytes, offset, bytes.byteLength - offset, offset);
    if (count === 0) throw new Error(`a sealed memory ends at byte ${offset} of ${bytes.byteLength}`);
    offset += count;
  }
  return bytes;
}
