// SPDX-License-Identifier: Apache-2.0
import { Re2SyntaxError, type CharSet } from "./syntax.ts";

/** A place in a pattern that is being read. */
export interface Cursor {
  readonly chars: readonly string[];
  /** Where the last `:]` stands, without which there is no `[:name:]`; so that it is not looked for again and again. */
  readonly lastNameEnd: number;
  at: number;
}

const set =
  (regex: RegExp): CharSet =>
  (code) =>
    regex.test(String.fromCodePoint(code));
export const not =
  (has: CharSet): CharSet =>
  (code) =>
    !has(code);
export const one = (char: string): CharSet => {
  const wanted = char.codePointAt(0);
  return (code) => code === wanted;
};

/** ASCII only, as in Go. */
const PERL: Record<string, CharSet> = { d: set(/[0-9]/), s: set(/[\t\n\f\r ]/), w: set(/[0-9A-Za-z_]/) };
export const isWord: CharSet = set(/[0-9A-Za-z_]/);

const POSIX: Record<string, CharSet> = {
  alnum: set(/[0-9A-Za-z]/),
  alpha: set(/[A-Za-z]/),
  ascii: (code) => code < 128,
  blank: set(/[\t ]/),
  cntrl: (code) => code < 32 || code === 127,
  digit: set(/[0-9]/),
  graph: set(/[!-~]/),
  lower: set(/[a-z]/),
  print: set(/[ -~]/),
  punct: set(/[!-/:-@[-`{-~]/),
  space: set(/[\t-\r ]/),
  upper: set(/[A-Z]/),
  word: isWord,
  xdigit: set(/[0-9A-Fa-f]/),
};

const CONTROLS: Record<string, string> = { a: "\x07", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/** Adds what differs by case only. */
export function folded(has: CharSet): CharSet {
  return (code) => {
    const char = String.fromCodePoint(code);
    return [char, char.toLowerCase(), char.toUpperCase()].some((form) => has(form.codePointAt(0) ?? code));
  };
}

/** `\d`, `\pL`, `\p{Greek}` and the like after the backslash; undefined when it is no such class. */
export function readClassEscape(cursor: Cursor): CharSet | undefined {
  const letter = cursor.chars[cursor.at] ?? "";
  const lower = letter.toLowerCase();
  const perl = Object.hasOwn(PERL, lower) ? PERL[lower] : undefined;
  if (perl) {
    cursor.at++;
    return letter === lower ? perl : not(perl);
  }
  if (lower !== "p") return undefined;
  cursor.at++;
  let name = cursor.chars[cursor.at++] ?? "";
  if (name === "{") {
    const end = cursor.chars.indexOf("}", cursor.at);
    if (end < 0) throw new Re2SyntaxError("names a character class without its end");
    name = cursor.chars.slice(cursor.at, end).join("");
    cursor.at = end + 1;
  }
  const negated = name.startsWith("^") !== (letter === "P");
  const has = unicodeClass(name.replace("^", ""));
  return negated ? not(has) : has;
}

function unicodeClass(name: string): CharSet {
  if (name === "Any") return () => true;
  const known = unicodeClasses.get(name);
  if (known) return known;
  const property = /^[A-Z][a-z]?$/.test(name) ? "General_Category" : "Script";
  try {
    const made = set(new RegExp(`\\p{${property}=${name}}`, "u"));
    unicodeClasses.set(name, made);
    return made;
  } catch {
    throw new Re2SyntaxError(`names the unknown character class ${name}`);
  }
}

/** Only of names that exist, of which there are few; to make one takes a thousand times as long as to find it. */
const unicodeClasses = new Map<string, CharSet>();

/** One character after a backslash. */
export function readCharEscape(cursor: Cursor): string {
  const char = cursor.chars[cursor.at++];
  if (char === undefined) throw new Re2SyntaxError("ends with a backslash");
  const control = Object.hasOwn(CONTROLS, char) ? CONTROLS[char] : undefined;
  if (control !== undefined) return control;
  const rest = cursor.chars.slice(cursor.at, cursor.at + 12).join("");
  const [text, digits] =
    char === "x"
      ? (/^\{([0-9A-Fa-f]+)\}|^([0-9A-Fa-f]{2})/.exec(rest) ?? []).filter((part) => part !== undefined)
      : (/^([0-7]{0,2})/.exec(rest) ?? []);
  if (char === "x" && text !== undefined && Number.parseInt(digits ?? "", 16) <= 0x10ffff) {
    cursor.at += text.length;
    return String.fromCodePoint(Number.parseInt(digits ?? "", 16));
  }
  // A single digit other than 0 would be a back-reference.
  if (/[0-7]/.test(char) && (char === "0" || digits !== "")) {
    cursor.at += text?.length ?? 0;
    return String.fromCodePoint(Number.parseInt(char + digits, 8));
  }
  if (char < "\x80" && !/[0-9A-Za-z]/.test(char)) return char;
  throw new Re2SyntaxError(`has the escape \\${char}, which RE2 lacks`);
}

/** `[…]` after its opening bracket. */
export function readBracketClass(cursor: Cursor, ignoreCase: boolean): CharSet {
  const parts: CharSet[] = [];
  const negated = cursor.chars[cursor.at] === "^";
  if (negated) cursor.at++;
  for (let first = true; first || cursor.chars[cursor.at] !== "]"; first = false) {
    if (cursor.at >= cursor.chars.length) throw new Re2SyntaxError("has a [ without its ]");
    parts.push(readClassPart(cursor));
  }
  cursor.at++;
  const any: CharSet = (code) => parts.some((has) => has(code));
  const has = ignoreCase ? folded(any) : any;
  return negated ? not(has) : has;
}

function readClassPart(cursor: Cursor): CharSet {
  const { chars } = cursor;
  if (chars[cursor.at] === "[" && chars[cursor.at + 1] === ":" && cursor.at + 2 <= cursor.lastNameEnd)
    return readNamedClass(cursor);
  if (chars[cursor.at] === "\\") {
    const escape: Cursor = { ...cursor, at: cursor.at + 1 };
    const has = readClassEscape(escape);
    if (has) {
      cursor.at = escape.at;
      return has;
    }
  }
  const low = readClassChar(cursor);
  if (chars[cursor.at] !== "-" || chars[cursor.at + 1] === "]") return (code) => code === low;
  cursor.at++;
  const high = readClassChar(cursor);
  if (high < low) throw new Re2SyntaxError("has a range whose end is before its beginning");
  return (code) => code >= low && code <= high;
}

/** `[:name:]`, which is known to end. */
function readNamedClass(cursor: Cursor): CharSet {
  const { chars } = cursor;
  let end = cursor.at + 2;
  while (!(chars[end] === ":" && chars[end + 1] === "]")) end++;
  const name = chars.slice(cursor.at + 2, end).join("");
  const plain = name.replace(/^\^/, "");
  const has = Object.hasOwn(POSIX, plain) ? POSIX[plain] : undefined;
  if (!has) throw new Re2SyntaxError(`names the unknown character class [:${name}:]`);
  cursor.at = end + 2;
  return plain === name ? has : not(has);
}

function readClassChar(cursor: Cursor): number {
  const char = cursor.chars[cursor.at++];
  if (char === undefined) throw new Re2SyntaxError("has a [ without its ]");
  return (char === "\\" ? readCharEscape(cursor) : char).codePointAt(0) ?? 0;
}
