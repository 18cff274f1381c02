// SPDX-License-Identifier: Apache-2.0
import { folded, not, one, readBracketClass, readCharEscape, readClassEscape, type Cursor } from "./char-class.ts";
import { Re2SyntaxError, type Place, type Re2Node } from "./syntax.ts";

const MAX_DEPTH = 1000;
const MAX_REPETITION = 1000;
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

/** Reads a pattern as Go's regexp package does; throws a {@link Re2SyntaxError} for what Go refuses. */
export function parseRe2(pattern: string): Re2Node {
  const reader: Reader = { chars: Array.from(pattern), at: 0, depth: 0, groupNames: new Set() };
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
      alternatives.push({ kind: "all", items });
      items = [];
    } else if (char === "(") {
      const group = readGroup(reader, flags);
      if ("flags" in group) flags = group.flags;
      else items.push(group.node);
    } else {
      items.push(...readAtom(reader, char, flags));
    }
  }
  const last: Re2Node = { kind: "all", items };
  return alternatives.length === 0 ? last : { kind: "any", items: [...alternatives, last] };
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
    const number = "0|[1-9][0-9]*";
    const counted = new RegExp(`^\\{(${number})(?:(,)(${number})?)?\\}`).exec(reader.chars.slice(reader.at).join(""));
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

function repeat(item: Re2Node, repetition: Repetition): Re2Node {
  const node: Re2Node = { kind: "repeat", item, ...repetition };
  if (repetition.counted && !fits(node, MAX_REPETITION))
    throw new Re2SyntaxError(`repeats more than ${MAX_REPETITION} times, nested repetitions multiplied`);
  return node;
}

function fits(node: Re2Node, limit: number): boolean {
  if (node.kind === "set" || node.kind === "place") return true;
  if (node.kind !== "repeat") return node.items.every((item) => fits(item, limit));
  if (!node.counted) return fits(node.item, limit);
  const times = Number.isFinite(node.most) ? node.most : node.least;
  if (node.most === 0) return true;
  return times <= limit && fits(node.item, Math.floor(limit / Math.max(1, times)));
}

function readAtom(reader: Reader, char: string, flags: Flags): Re2Node[] {
  const literal = (text: string): Re2Node => ({ kind: "set", has: flags.i ? folded(one(text)) : one(text) });
  if (char === "[") return [{ kind: "set", has: readBracketClass(reader, flags.i) }];
  if (char === ".") return [{ kind: "set", has: flags.s ? () => true : not(NEWLINE) }];
  if (char === "^") return [{ kind: "place", place: flags.m ? "lineBegin" : "textBegin" }];
  if (char === "$") return [{ kind: "place", place: flags.m ? "lineEnd" : "textEnd" }];
  if (char !== "\\") return [literal(char)];
  const next = reader.chars[reader.at] ?? "";
  const place = Object.hasOwn(PLACES, next) ? PLACES[next] : undefined;
  if (place !== undefined) {
    reader.at++;
    return [{ kind: "place", place }];
  }
  if (next === "Q") {
    const rest = reader.chars.slice(reader.at + 1).join("");
    const quoted = rest.split("\\E", 1)[0] ?? "";
    reader.at = Math.min(reader.chars.length, reader.at + 1 + Array.from(quoted).length + 2);
    return Array.from(quoted).map(literal);
  }
  const has = readClassEscape(reader);
  if (has) return [{ kind: "set", has: flags.i ? folded(has) : has }];
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
