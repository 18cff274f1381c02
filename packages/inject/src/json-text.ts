// SPDX-License-Identifier: Apache-2.0
import { goString } from "@hot/spec";

/**
 * A JSON value whose scalars are the texts as they were written, so that a number keeps all its digits and a string its
 * escapes. Members are in the order of the text; of two with one name the last counts.
 */
export type JsonText = string | JsonText[] | Map<string, JsonText>;

/**
 * @throws {SyntaxError} when the text is not JSON, or nested too deeply to be walked
 */
export function readJsonText(text: string): JsonText {
  // From here on the syntax is known to be right.
  JSON.parse(text);
  return readValue({ text, at: 0, depth: 0 });
}

interface Reader {
  readonly text: string;
  at: number;
  depth: number;
}

const MAX_DEPTH = 1000;

function readValue(reader: Reader): JsonText {
  const char = peek(reader);
  if (char === QUOTE) return readString(reader);
  if (char !== OPEN_OBJECT && char !== OPEN_ARRAY) return readWord(reader);
  if (++reader.depth > MAX_DEPTH) throw new SyntaxError(`nested deeper than ${MAX_DEPTH} levels`);
  const value = char === OPEN_OBJECT ? readObject(reader) : readArray(reader);
  reader.depth--;
  return value;
}

function readObject(reader: Reader): JsonText {
  const members = new Map<string, JsonText>();
  for (reader.at++; peek(reader) !== CLOSE_OBJECT; skipComma(reader)) {
    const key = readString(reader);
    peek(reader);
    reader.at++; // the colon
    members.set(key.includes("\\") ? (JSON.parse(key) as string) : key.slice(1, -1), readValue(reader));
  }
  reader.at++;
  return members;
}

function readArray(reader: Reader): JsonText {
  const items: JsonText[] = [];
  for (reader.at++; peek(reader) !== CLOSE_ARRAY; skipComma(reader)) items.push(readValue(reader));
  reader.at++;
  return items;
}

function readString(reader: Reader): string {
  const { text, at } = reader;
  let end = text.indexOf('"', at + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  reader.at = end + 1;
  return text.slice(at, end + 1);
}

function isEscaped(text: string, quote: number): boolean {
  let first = quote;
  while (text.charCodeAt(first - 1) === BACKSLASH) first--;
  return (quote - first) % 2 === 1;
}

/** A number, or true, false, null. */
function readWord(reader: Reader): string {
  const { text, at } = reader;
  while (reader.at < text.length && !isEnd(text.charCodeAt(reader.at))) reader.at++;
  return text.slice(at, reader.at);
}

const isEnd = (code: number): boolean =>
  code <= SPACE || code === COMMA || code === CLOSE_ARRAY || code === CLOSE_OBJECT;

/** The character after white space, which is left behind. */
function peek(reader: Reader): number {
  while (reader.text.charCodeAt(reader.at) <= SPACE) reader.at++;
  return reader.text.charCodeAt(reader.at);
}

function skipComma(reader: Reader): void {
  if (peek(reader) === COMMA) reader.at++;
}

const [QUOTE, BACKSLASH, COMMA, SPACE] = [0x22, 0x5c, 0x2c, 0x20];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Compact, with the escapes of Go's `encoding/json` added to those that the strings have. */
export function writeJsonText(value: JsonText): string {
  return write(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function write(value: JsonText): string {
  if (typeof value === "string") return value;
  const parts: string[] = [];
  if (Array.isArray(value)) {
    for (const item of value) parts.push(write(item));
    return `[${parts.join()}]`;
  }
  for (const [key, member] of value) parts.push(`${goString(key)}:${write(member)}`);
  return `{${parts.join()}}`;
}
