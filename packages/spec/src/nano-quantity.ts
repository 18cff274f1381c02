// SPDX-License-Identifier: Apache-2.0
import type { ParsedQuantity } from "./quantity.ts";

const NANO_DIGITS = 9;
/** Far beyond every resource; a text such as `1e999999999` must not become a number with as many digits. */
const MAX_DIGITS = 40;

/** The exact amount in units of 10⁻⁹, which no quantity is finer than; undefined beyond 10³¹. */
export function toNano({ mantissa, scale }: ParsedQuantity): bigint | undefined {
  if (mantissa === 0n) return 0n;
  const shift = scale + NANO_DIGITS;
  if (mantissa.toString().length + shift > MAX_DIGITS) return undefined;
  return mantissa * 10n ** BigInt(shift);
}

/** The inverse of {@link toNano}. */
export function fromNano(nano: bigint, format: ParsedQuantity["format"]): ParsedQuantity {
  return { mantissa: nano, scale: nano === 0n ? 0 : -NANO_DIGITS, format };
}
