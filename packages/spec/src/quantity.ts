// SPDX-License-Identifier: Apache-2.0
import type { Quantity } from "./container.ts";

/**
 * A quantity as Kubernetes computes it: `mantissa × 10^scale`, exact, never finer than 10⁻⁹ (rounded away from zero).
 */
export interface ParsedQuantity {
  readonly mantissa: bigint;
  readonly scale: number;
  readonly format: "decimal" | "binary" | "exponent";
  /** The text as written, where Kubernetes keeps it instead of the canonical form; it enters the hash. */
  readonly text?: string;
}

const NANO = -9;
const MILLI = -3;
const MAX_DIGITS = 18;
/** No quantity needs more; longer ones would only cost time. */
const MAX_LENGTH = 1024;
const MAX_INT64 = 2n ** 63n - 1n;
const DECIMAL_SUFFIXES = new Map([
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["", 0],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
]);
const SUFFIX_OF_EXPONENT = new Map([...DECIMAL_SUFFIXES].map(([suffix, exponent]) => [exponent, suffix]));
const BINARY_SUFFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const SHAPE = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*(?:[+-]?\d*))$/;

/** Parses a quantity text or number; undefined where Kubernetes refuses it. */
export function parseQuantity(quantity: Quantity): ParsedQuantity | undefined {
  const text = String(quantity).trim();
  if (text === "" || text.length > MAX_LENGTH) return undefined;
  if (text === "0") return { mantissa: 0n, scale: 0, format: "decimal", text };
  const [, sign, digits, fraction = "", suffix] = SHAPE.exec(text) ?? [];
  if (digits === undefined || suffix === undefined) return undefined;
  const whole = digits.replace(/^0+/, "") || "0";
  const unit = parseSuffix(suffix);
  if (!unit) return undefined;
  const magnitude = BigInt(whole + fraction);
  const signed = sign === "-" ? -magnitude : magnitude;
  return unit.format === "binary"
    ? parseBinary(signed, whole, fraction, unit.exponent, text)
    : parseDecimal(signed, whole, fraction, unit, text);
}

interface Unit {
  format: ParsedQuantity["format"];
  exponent: number;
}

function parseSuffix(suffix: string): Unit | undefined {
  const decimal = DECIMAL_SUFFIXES.get(suffix);
  if (decimal !== undefined) return { format: "decimal", exponent: decimal };
  const binary = BINARY_SUFFIXES.indexOf(suffix);
  if (binary > 0) return { format: "binary", exponent: binary * 10 };
  if (!/^[eE][+-]?\d{1,18}$/.test(suffix)) return undefined;
  // Go narrows the exponent to 32 bits without a check.
  return { format: "exponent", exponent: Number(BigInt.asIntN(32, BigInt(suffix.slice(1).replace("+", "")))) };
}

function parseDecimal(signed: bigint, whole: string, fraction: string, unit: Unit, text: string): ParsedQuantity {
  const { format } = unit;
  const scale = unit.exponent - fraction.length;
  const shifted = whole + fraction;
  if (shifted.length > MAX_DIGITS || scale < NANO) return { ...roundAwayFromZero(signed, scale, NANO), format };
  const keepsText = scale % 3 === 0 && !shifted.endsWith("000") && !shifted.startsWith("0");
  return { mantissa: signed, scale, format, ...(keepsText ? { text } : {}) };
}

function parseBinary(signed: bigint, whole: string, fraction: string, exponent: number, text: string): ParsedQuantity {
  const scaled = signed << BigInt(exponent);
  if (fraction === "" && whole.length <= 14 - Math.trunc(exponent * 0.3)) {
    const keepsText = (signed & 7n) !== 0n;
    return { mantissa: scaled, scale: 0, format: "binary", ...(keepsText ? { text } : {}) };
  }
  const { mantissa, scale } = roundAwayFromZero(scaled, -fraction.length, NANO);
  const unitsOfOne = 10n ** BigInt(-scale);
  const limit = MAX_INT64 * unitsOfOne;
  if (mantissa > limit || mantissa < -limit)
    return { mantissa: mantissa < 0n ? -MAX_INT64 : MAX_INT64, scale: 0, format: "binary" };
  const belowOne = mantissa < unitsOfOne && mantissa > -unitsOfOne && mantissa !== 0n;
  return { mantissa, scale, format: belowOne ? "decimal" : "binary" };
}

function roundAwayFromZero(mantissa: bigint, scale: number, target: number): { mantissa: bigint; scale: number } {
  if (scale >= target || mantissa === 0n) return { mantissa, scale: mantissa === 0n ? 0 : scale };
  const sign = mantissa < 0n ? -1n : 1n;
  const magnitude = mantissa * sign;
  const dropped = target - scale;
  // An exponent such as e-999999999 must not become a number with as many digits.
  if (dropped > magnitude.toString().length) return { mantissa: sign, scale: target };
  const divisor = 10n ** BigInt(dropped);
  return { mantissa: sign * ((magnitude + divisor - 1n) / divisor), scale: target };
}

/** The text that Kubernetes serialises: the text as written where it is kept, else the canonical form. */
export function formatQuantity(quantity: ParsedQuantity): string {
  if (quantity.text !== undefined) return quantity.text;
  if (quantity.mantissa === 0n) return "0";
  const binary = quantity.format === "binary" ? binaryUnits(quantity) : undefined;
  if (binary !== undefined) {
    let [value, power] = [binary, 0];
    for (; value % 1024n === 0n && power < 6; power++) value /= 1024n;
    return `${value}${BINARY_SUFFIXES[power]}`;
  }
  let { mantissa, scale } = quantity;
  while (mantissa % 10n === 0n) [mantissa, scale] = [mantissa / 10n, scale + 1];
  const extra = ((scale % 3) + 3) % 3;
  [mantissa, scale] = [mantissa * 10n ** BigInt(extra), scale - extra];
  if (quantity.format === "exponent") return scale === 0 ? `${mantissa}` : `${mantissa}e${scale}`;
  // Beyond E there is no suffix and Go writes none, although that loses the scale: kept, for the hash.
  return `${mantissa}${SUFFIX_OF_EXPONENT.get(scale) ?? ""}`;
}

/** The whole number of a binary quantity, or undefined where Go falls back to the decimal form. */
function binaryUnits({ mantissa, scale }: ParsedQuantity): bigint | undefined {
  const unitsOfOne = 10n ** BigInt(Math.max(0, -scale));
  const whole = scale > 0 ? mantissa * 10n ** BigInt(scale) : mantissa / unitsOfOne;
  if (scale < 0 && mantissa % unitsOfOne !== 0n) return undefined;
  return whole > -1024n && whole < 1024n ? undefined : whole;
}

/** Kubernetes' default for resource lists: values finer than milli are rounded away from zero. */
export function roundUpToMilli(quantity: ParsedQuantity): ParsedQuantity {
  if (quantity.scale >= MILLI) return quantity;
  return { ...roundAwayFromZero(quantity.mantissa, quantity.scale, MILLI), format: quantity.format };
}

/** Negative, zero or positive as a < b, a = b, a > b; exact. */
export function compareQuantities(a: ParsedQuantity, b: ParsedQuantity): number {
  const sign = (value: bigint): number => (value < 0n ? -1 : value > 0n ? 1 : 0);
  if (sign(a.mantissa) !== sign(b.mantissa)) return sign(a.mantissa) - sign(b.mantissa);
  if (a.mantissa === 0n) return 0;
  const magnitude = ({ mantissa, scale }: ParsedQuantity): number => `${mantissa}`.replace("-", "").length + scale;
  // Decides by the number of digits first, so that huge exponents are never written out.
  const byDigits = magnitude(a) - magnitude(b);
  if (byDigits !== 0) return sign(a.mantissa) * Math.sign(byDigits);
  const scale = Math.min(a.scale, b.scale);
  const left = a.mantissa * 10n ** BigInt(a.scale - scale);
  return sign(left - b.mantissa * 10n ** BigInt(b.scale - scale));
}
