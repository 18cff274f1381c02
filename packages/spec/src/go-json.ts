// SPDX-License-Identifier: Apache-2.0
import type { Quantity } from "./container.ts";
import type { Field, FieldType, ScalarType, Struct } from "./core-schema.ts";
import { formatQuantity, parseQuantity } from "./quantity.ts";

/**
 * Serialises a value exactly as Go's `encoding/json` writes the struct that the schema describes: fields in the
 * order of the table, map keys by code point, `<>&` escaped, unknown fields dropped, null elements as zero values.
 * The value must have no type errors ({@link checkAgainstSchema}).
 */
export function goJson(type: FieldType, value: unknown): string {
  if (typeof type === "string") return scalar(type, value);
  if ("list" in type) return `[${(value as unknown[]).map((item) => goJson(type.list, item)).join(",")}]`;
  if ("map" in type) {
    const entries = Object.entries(value as Record<string, unknown>);
    entries.sort(([a], [b]) => compareCodePoints(a, b));
    return `{${entries.map(([key, item]) => `${goString(key)}:${scalar(type.map, item)}`).join(",")}}`;
  }
  return goObject(type, value as Record<string, unknown> | null | undefined);
}

function goObject(struct: Struct, value: Record<string, unknown> | null | undefined): string {
  let members = "";
  for (const field of struct.fields) {
    const item = value && Object.hasOwn(value, field.name) ? (value[field.name] ?? undefined) : undefined;
    const isNull = field.emit === "nullable" && item === undefined;
    if (!isNull && !isEmitted(field, item)) continue;
    // Names in the table need no escapes.
    members += `${members === "" ? "" : ","}"${field.name}":${isNull ? "null" : goJson(field.type, item)}`;
  }
  return `{${members}}`;
}

function isEmitted({ emit }: Field, item: unknown): boolean {
  if (emit === "always") return true;
  if (emit !== "nonEmpty") return item !== undefined;
  if (Array.isArray(item)) return item.length > 0;
  if (typeof item === "object" && item !== null) return Object.keys(item).length > 0;
  return item !== undefined && item !== "" && item !== 0 && item !== false;
}

function scalar(type: ScalarType, value: unknown): string {
  if (type === "quantity") {
    const parsed = parseQuantity((value ?? 0) as Quantity);
    return goString(parsed ? formatQuantity(parsed) : "0");
  }
  if (typeof value === "string") return goString(value);
  return JSON.stringify(value ?? ZERO[type]);
}

const ZERO = { string: "", bool: false, int32: 0, int64: 0, intOrString: 0 };

const ESCAPES: Record<string, string> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

// eslint-disable-next-line no-control-regex
const ESCAPED = /["\\<>&\u0000-\u001f\u2028\u2029]/g;
/** What is escaped, and surrogates, lone ones among them. */
// eslint-disable-next-line no-control-regex
const SPECIAL = /["\\<>&\u0000-\u001f\u2028\u2029\ud800-\udfff]/;

/** One JSON string as Go writes it; lone surrogates become U+FFFD. */
export function goString(text: string): string {
  if (!SPECIAL.test(text)) return `"${text}"`;
  const escaped = text.toWellFormed().replace(ESCAPED, (character) => {
    return ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  return `"${escaped}"`;
}

/** Orders texts as Go does (by UTF-8 bytes, which is by code point), unlike JavaScript's UTF-16 order. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === length) return a.length - b.length;
  // Where they differ in the second half of a surrogate pair, the character begins one before it.
  if (at > 0 && isHigh(a.charCodeAt(at - 1)) && (isLow(a.charCodeAt(at)) || isLow(b.charCodeAt(at)))) at--;
  return (a.codePointAt(at) ?? 0) - (b.codePointAt(at) ?? 0);
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;
