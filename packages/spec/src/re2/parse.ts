// SPDX-License-Identifier: Apache-2.0
import { folded, not, one, readBracketClass, readCharEscape, readClassEscape, type Cursor } from "./char-class.ts";
import { Re2SyntaxError, type CharSet, type Place, type Re2Node } from "./syntax.ts";

const MAX_DEPTH = 1000;
const MAX_REPETITION = 1000;
/** More than any list of names needs; the steps of a program are bounded too. */
const MAX_LENGTH = 4096;
const PLACES: Record<string, Place> = { A: "textBegin", z: "textEnd", b: "word", B: "notWord" };
const SIMPLE_REPEATS: Record<string, [least: number, most: number]> = {
  "*": [0, Infinity],
  "+": [1, Infinity],
  "?": [0, 1],
};
const NEWLINE = one("\n");

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
  readonly U: boolean;
}

interface Reader extends Cursor {
  depth: number;
  readonly groupNames: Set<string>;
}

/**
 * Reads a pattern as Go's regexp package does, in time that grows with its length only.
 *
 * @throws {Re2SyntaxError} for what Go refuses, and for what is far too long
 */
export function parseRe2(pattern: string): Re2Node {
  if (pattern.length > MAX_LENGTH) throw new Re2SyntaxError(`has more than ${MAX_LENGTH} characters`);
  const chars = Array.from(pattern);
  const lastNameEnd = chars.findLastIndex((char, index) => char === ":" && chars[index + 1] === "]");
  const reader: Reader = { chars, at: 0, lastNameEnd, depth: 0, groupNames: new Set() };
  const node = readAlternatives(reader, { i: false, m: false, s: false, U: false });
  if (reader.at < reader.chars.length) throw new Re2SyntaxError("has a ) without its (");
  return node;
}

/** Up to the end or a closing parenthesis. A flag such as `(?i)` holds to the end of its group. */
function readAlternatives(reader: Reader, given: Flags): Re2Node {
  let flags = given;
  let items: Re2Node[] = [];
  const alternatives: Re2Node[] = [];
  // Whether the last item is a repetition that can't be repeated again: a** is refused.
  let repeated = false;
  for (let char = reader.chars[reader.at]; char !== undefined && char !== ")"; char = reader.chars[reader.at]) {
    const repetition = readRepetition(reader);
    if (repetition) {
      const item = items.pop();
      if (!item) throw new Re2SyntaxError("repeats nothing");
      if (repeated) throw new Re2SyntaxError("repeats a repetition; write it in parentheses");
      items.push(repeat(item, repetition));
      repeated = true;
      continue;
    }
    repeated = false;
    reader.at++;
    if (char === "|") {
      alternatives.push(group("all", items));
      items = [];
    } else if (char === "(") {
      const group = readGroup(reader, flags);
      if ("flags" in group) flags = group.flags;
      else items.push(group.node);
    } else {
      items.push(...readAtom(reader, char, flags));
    }
  }
  const last = group("all", items);
  return alternatives.length === 0 ? last : group("any", [...alternatives, last]);
}

interface Repetition {
  least: number;
  most: number;
  counted: boolean;
}

function readRepetition(reader: Reader): Repetition | undefined {
  const char = reader.chars[reader.at] ?? "";
  const simple = Object.hasOwn(SIMPLE_REPEATS, char) ? SIMPLE_REPEATS[char] : undefined;
  let read: Repetition | undefined;
  if (simple) {
    reader.at++;
    read = { least: simple[0], most: simple[1], counted: false };
  } else if (char === "{") {
    const counted = COUNTED.exec(countText(reader));
    if (!counted) return undefined;
    const [text, least = "0", comma, most = comma === undefined ? least : "Infinity"] = counted;
    read = { least: Number(least), most: Number(most), counted: true };
    reader.at += text.length;
    const largest = Number.isFinite(read.most) ? read.most : read.least;
    if (read.least > MAX_REPETITION || largest > MAX_REPETITION)
      throw new Re2SyntaxError(`repeats more than ${MAX_REPETITION} times`);
    if (read.least > read.most) throw new Re2SyntaxError("has a repetition whose end is before its beginning");
  }
  // Greed does not matter to whether something matches.
  if (read && reader.chars[reader.at] === "?") reader.at++;
  return read;
}

const COUNTED = /^\{(0|[1-9][0-9]*)(?:(,)(0|[1-9][0-9]*)?)?\}$/;

/** `{2,3}`, or what looks like it at first. */
function countText({ chars, at }: Reader): string {
  let end = at + 1;
  while (/^[0-9,]$/.test(chars[end] ?? "")) end++;
  return chars.slice(at, end + 1).join("");
}

function repeat(item: Re2Node, { least, most, counted }: Repetition): Re2Node {
  const times = !counted || most === 0 ? 1 : Math.max(1, Number.isFinite(most) ? most : least);
  const copies = times * (most === 0 ? 1 : item.copies);
  if (counted && copies > MAX_REPETITION)
    throw new Re2SyntaxError(`repeats more than ${MAX_REPETITION} times, nested repetitions multiplied`);
  return { kind: "repeat", item, least, most, copies };
}

function group(kind: "all" | "any", items: readonly Re2Node[]): Re2Node {
  return { kind, items, copies: items.reduce((most, { copies }) => Math.max(most, copies), 1) };
}

const set = (has: CharSet): Re2Node => ({ kind: "set", has, copies: 1 });
const place = (where: Place): Re2Node => ({ kind: "place", place: where, copies: 1 });

function readAtom(reader: Reader, char: string, flags: Flags): Re2Node[] {
  const literal = (text: string): Re2Node => set(flags.i ? folded(one(text)) : one(text));
  if (char === "[") return [set(readBracketClass(reader, flags.i))];
  if (char === ".") return [set(flags.s ? () => true : not(NEWLINE))];
  if (char === "^") return [place(flags.m ? "lineBegin" : "textBegin")];
  if (char === "$") return [place(flags.m ? "lineEnd" : "textEnd")];
  if (char !== "\\") return [literal(char)];
  const next = reader.chars[reader.at] ?? "";
  const known = Object.hasOwn(PLACES, next) ? PLACES[next] : undefined;
  if (known !== undefined) {
    reader.at++;
    return [place(known)];
  }
  if (next === "Q") {
    const from = reader.at + 1;
    let end = from;
    while (end < reader.chars.length && !(reader.chars[end] === "\\" && reader.chars[end + 1] === "E")) end++;
    reader.at = Math.min(reader.chars.length, end + 2);
    return reader.chars.slice(from, end).map(literal);
  }
  const has = readClassEscape(reader);
  if (has) return [set(flags.i ? folded(has) : has)];
  return [literal(readCharEscape(reader))];
}

/** What follows an opening parenthesis: a group, or flags for the rest of the group around it. */
function readGroup(reader: Reader, flags: Flags): { node: Re2Node } | { flags: Flags } {
  if (reader.chars[reader.at] !== "?") return { node: readBody(reader, flags) };
  const rest = reader.chars.slice(reader.at, reader.at + 200).join("");
  const [named, name] = /^\?P?<(\w+)>/.exec(rest) ?? [];
  if (named !== undefined && name !== undefined) {
    if (reader.groupNames.has(name)) throw new Re2SyntaxError(`has two groups named ${name}`);
    reader.groupNames.add(name);
    reader.at += named.length;
    return { node: readBody(reader, flags) };
  }
  const [text, on = "", off, end] = /^\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest) ?? [];
  if (text === undefined) throw new Re2SyntaxError("has look-around or another group that RE2 lacks");
  reader.at += text.length;
  const value = (flag: keyof Flags): boolean => (on.includes(flag) || flags[flag]) && !off?.includes(flag);
  const changed: Flags = { i: value("i"), m: value("m"), s: value("s"), U: value("U") };
  return end === ")" ? { flags: changed } : { node: readBody(reader, changed) };
}

function readBody(reader: Reader, flags: Flags): Re2Node {
  if (++reader.depth > MAX_DEPTH) throw new Re2SyntaxError("nests too deep");
  const node = readAlternatives(reader, flags);
  if (reader.chars[reader.at] !== ")") throw new Re2SyntaxError("has a ( without its )");
  reader.at++;
  reader.depth--;
  return node;
}
