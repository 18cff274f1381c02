// SPDX-License-Identifier: Apache-2.0
// The part of ASN.1 DER (X.690) that certificates are made of: written bottom-up, every value is its own bytes.

/** One value with its tag and length in front. */
export function der(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export const sequence = (...items: Uint8Array[]): Buffer => der(0x30, ...items);
export const set = (...items: Uint8Array[]): Buffer => der(0x31, ...items);
export const octetString = (bytes: Uint8Array): Buffer => der(0x04, bytes);
export const utf8String = (text: string): Buffer => der(0x0c, Buffer.from(text, "utf8"));
export const boolean = (value: boolean): Buffer => der(0x01, Buffer.from([value ? 0xff : 0]));
export const bitString = (bytes: Uint8Array, unusedBits = 0): Buffer => der(0x03, Buffer.from([unusedBits]), bytes);
/** `[number] EXPLICIT` */
export const explicit = (number: number, content: Uint8Array): Buffer => der(0xa0 | number, content);
/** `[number] IMPLICIT` of a primitive type */
export const implicit = (number: number, bytes: Uint8Array): Buffer => der(0x80 | number, bytes);

/** A non-negative integer, given as big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const shortest = bytes.subarray(start);
  return der(0x02, Buffer.from((shortest[0] ?? 0) >= 0x80 ? [0] : []), shortest);
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest % 128) | 0x80);
  return bytes;
}

/** RFC 5280 4.1.2.5: UTCTime until 2049, GeneralizedTime from then on; whole seconds. */
export function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replace(/\.\d+Z$|[-:T]/g, "");
  return digits < "2050" ? der(0x17, Buffer.from(`${digits.slice(2)}Z`)) : der(0x18, Buffer.from(`${digits}Z`));
}

/** The values inside a constructed value, each with its tag and length. */
export function children(value: Uint8Array): Buffer[] {
  const bytes = Buffer.from(value);
  const [from, to] = contentOf(bytes, 0);
  const found: Buffer[] = [];
  for (let at = from; at < to;) {
    const [, end] = contentOf(bytes, at);
    found.push(bytes.subarray(at, end));
    at = end;
  }
  return found;
}

function contentOf(bytes: Buffer, at: number): [from: number, to: number] {
  const first = bytes[at + 1] ?? 0;
  const size = first < 0x80 ? 0 : first & 0x7f;
  const length = size === 0 ? first : bytes.readUIntBE(at + 2, size);
  const from = at + 2 + size;
  if (from + length > bytes.length) throw new RangeError("DER value is cut off");
  return [from, from + length];
}
