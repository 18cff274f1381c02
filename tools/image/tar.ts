// SPDX-License-Identifier: Apache-2.0
// A tar writer whose output depends on nothing but its input: no clock, owner 0, order as given.

const BLOCK = 512;

export interface TarEntry {
  /** Without leading slash; at most 100 bytes. */
  readonly path: string;
  readonly mode: number;
  /** Absent: a directory. */
  readonly data?: Uint8Array;
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, "0")}\0`;
}

function header({ path, mode, data }: TarEntry): Buffer {
  const name = data === undefined ? `${path}/` : path;
  if (Buffer.byteLength(name) > 100) throw new Error(`${name} is longer than the 100 bytes that this archive can hold`);
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  block.write(octal(mode, 8), 100);
  block.write(octal(0, 8), 108); // owner
  block.write(octal(0, 8), 116); // group
  block.write(octal(data?.length ?? 0, 12), 124);
  block.write(octal(0, 12), 136); // time of modification
  block.write("        ", 148);
  block.write(data === undefined ? "5" : "0", 156);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/** The archive in pieces, so that large files are not copied. */
export function* tarPieces(entries: Iterable<TarEntry>): Generator<Uint8Array> {
  for (const entry of entries) {
    yield header(entry);
    if (entry.data === undefined) continue;
    yield entry.data;
    const rest = entry.data.length % BLOCK;
    if (rest > 0) yield Buffer.alloc(BLOCK - rest);
  }
  yield Buffer.alloc(2 * BLOCK);
}

/** The directories that lead to these files are added (0755), parents first, unless they are given. */
export function withParents(entries: readonly TarEntry[]): TarEntry[] {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  for (const { path } of entries) {
    for (let cut = path.indexOf("/"); cut !== -1; cut = path.indexOf("/", cut + 1)) {
      const parent = path.slice(0, cut);
      if (!byPath.has(parent)) byPath.set(parent, { path: parent, mode: 0o755 });
    }
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

export interface TarMember {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
}

/** The files of an archive that `tarPieces` wrote. `read` returns `length` bytes from `offset`, less at the end. */
export function* tarMembers(read: (offset: number, length: number) => Buffer): Generator<TarMember> {
  for (let offset = 0; ;) {
    const block = read(offset, BLOCK);
    if (block.length < BLOCK || block[0] === 0) return;
    const end = block.indexOf(0);
    const path = block.toString("utf8", 0, Math.min(end, 100));
    const size = Number.parseInt(block.toString("latin1", 124, 135), 8);
    if (!Number.isFinite(size)) throw new Error(`no tar header at byte ${offset}`);
    if (block[156] === 0x30) yield { path, offset: offset + BLOCK, size };
    offset += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}
