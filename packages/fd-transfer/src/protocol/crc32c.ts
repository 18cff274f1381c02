// SPDX-License-Identifier: Apache-2.0

const POLYNOMIAL = 0x82f63b78; // Castagnoli, reflected

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value >>> 0;
});

/** CRC-32C (Castagnoli) of the chunks as if they were one. */
export function crc32c(...chunks: readonly Uint8Array[]): number {
  let crc = 0xffffffff;
  for (const chunk of chunks) {
    // By index: this is what the codec spends most of its time on.
    for (let index = 0; index < chunk.byteLength; index++) {
      crc = (table[(crc ^ (chunk[index] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
    }
  }
  return (crc ^ 0xffffffff) >>> 0;
}
