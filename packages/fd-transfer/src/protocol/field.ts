// SPDX-License-Identifier: Apache-2.0
import { violation } from "./violation.ts";

const NOTHING = new Uint8Array();
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Of UTF-8 for one UTF-16 unit, at most. */
const BYTES_PER_UNIT = 3;

/** Reads the fields of one body in order. Every length is checked against its cap and the rest before it is used. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#offset === this.#bytes.byteLength;
  }

  take(length: number): number {
    const at = this.#offset;
    if (length > this.#bytes.byteLength - at) throw violation(`the body ends within a field at byte ${at}`);
    this.#offset = at + length;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.take(8), true);
  }

  bytes(length: number): Uint8Array {
    const at = this.take(length);
    return length === 0 ? NOTHING : this.#bytes.slice(at, at + length);
  }

  /** Throws a TypeError for what is not UTF-8. */
  text(length: number): string {
    const at = this.take(length);
    return length === 0 ? "" : decoder.decode(this.#bytes.subarray(at, at + length));
  }
}

export class Writer {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Where the next `length` bytes go; there is room for them. */
  #room(length: number): number {
    const at = this.#length;
    if (at + length > this.#bytes.byteLength) {
      const grown = new Uint8Array((at + length) * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = at + length;
    return at;
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#room(2);
    this.#view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }

  u64(value: bigint): void {
    const at = this.#room(8);
    this.#view.setBigUint64(at, value, true);
  }

  bytes(value: Uint8Array): void {
    const at = this.#room(value.byteLength);
    this.#bytes.set(value, at);
  }

  /** Its length as u16, and the text. */
  text(value: string, max: number): void {
    const at = this.#room(2);
    if (value === "") return this.#view.setUint16(at, 0, true);
    const start = this.#room(BYTES_PER_UNIT * value.length);
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(start, this.#length));
    if (written > max) throw violation(`${written} bytes are over the limit of ${max}`);
    this.#view.setUint16(at, written, true);
    this.#length = start + written;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

/** How one field is written and read. */
export interface Field<T> {
  write(writer: Writer, value: T): void;
  read(reader: Reader): T;
}

function whole(
  name: string,
  max: number,
  write: (w: Writer, v: number) => void,
  read: (r: Reader) => number,
): Field<number> {
  return {
    write(writer, value) {
      if (!Number.isInteger(value) || value < 0 || value > max) throw violation(`${value} is no ${name}`);
      write(writer, value);
    },
    read,
  };
}

export const u8 = whole(
  "u8",
  0xff,
  (w, v) => w.u8(v),
  (r) => r.u8(),
);
export const u16 = whole(
  "u16",
  0xffff,
  (w, v) => w.u16(v),
  (r) => r.u16(),
);
export const u32 = whole(
  "u32",
  0xffffffff,
  (w, v) => w.u32(v),
  (r) => r.u32(),
);

export const u64: Field<bigint> = {
  write(writer, value) {
    if (value < 0n || value > 0xffffffffffffffffn) throw violation(`${value} is no u64`);
    writer.u64(value);
  },
  read: (reader) => reader.u64(),
};

export const bool: Field<boolean> = {
  write: (writer, value) => writer.u8(value ? 1 : 0),
  read(reader) {
    const value = reader.u8();
    if (value > 1) throw violation(`${value} is neither true nor false`);
    return value === 1;
  },
};

export function blob(max: number): Field<Uint8Array> {
  return {
    write(writer, value) {
      if (value.byteLength > max) throw violation(`${value.byteLength} bytes are over the limit of ${max}`);
      writer.u16(value.byteLength);
      writer.bytes(value);
    },
    read(reader) {
      const length = reader.u16();
      if (length > max) throw violation(`a field of ${length} bytes is over the limit of ${max}`);
      return reader.bytes(length);
    },
  };
}

/** UTF-8 of at most `max` bytes. */
export function text(max: number): Field<string> {
  return {
    write: (writer, value) => writer.text(value, max),
    read(reader) {
      const length = reader.u16();
      if (length > max) throw violation(`a text of ${length} bytes is over the limit of ${max}`);
      try {
        return reader.text(length);
      } catch (cause) {
        throw cause instanceof TypeError ? violation("a text is not UTF-8", cause) : cause;
      }
    },
  };
}

/** Words for people, of at most `max` bytes: cut at a whole character rather than refused when it is written. */
export function sentence(max: number): Field<string> {
  const inner = text(max);
  return {
    write(writer, value) {
      const room = new Uint8Array(max);
      const { read } = encoder.encodeInto(value, room);
      inner.write(writer, value.slice(0, read));
    },
    read: (reader) => inner.read(reader),
  };
}

export function list<T>(item: Field<T>, max: number): Field<readonly T[]> {
  return {
    write(writer, value) {
      if (value.length > max) throw violation(`a list of ${value.length} is over the limit of ${max}`);
      writer.u16(value.length);
      for (const one of value) item.write(writer, one);
    },
    read(reader) {
      const length = reader.u16();
      if (length > max) throw violation(`a list of ${length} is over the limit of ${max}`);
      const items: T[] = [];
      for (let index = 0; index < length; index++) items.push(item.read(reader));
      return items;
    },
  };
}

export function oneOf<const T extends string>(...values: readonly T[]): Field<T> {
  return {
    write: (writer, value) => writer.u8(values.indexOf(value)),
    read(reader) {
      const index = reader.u8();
      const value = values[index];
      if (value === undefined) throw violation(`${index} is not one of ${values.join(", ")}`);
      return value;
    },
  };
}

/** A number at the end of a body that an earlier minor version does not have: 0 then. */
export function added(field: Field<number>): Field<number> {
  return {
    write: (writer, value) => field.write(writer, value),
    read: (reader) => (reader.atEnd ? 0 : field.read(reader)),
  };
}

/** Fields in the order of the object's keys. Bytes after the last are ignored: a later minor version may add some. */
export function struct<T extends object>(fields: { readonly [K in keyof T]: Field<T[K]> }): Field<T> {
  const keys = Object.keys(fields) as (keyof T)[];
  return {
    write(writer, value) {
      for (const key of keys) fields[key].write(writer, value[key]);
    },
    read(reader) {
      const value: Partial<T> = {};
      for (const key of keys) value[key] = fields[key].read(reader);
      return value as T;
    },
  };
}
