// SPDX-License-Identifier: Apache-2.0
import { formatQuantity, parseQuantity, roundUpToMilli } from "../quantity.ts";
import { isRaw, type Raw } from "./raw.ts";

/** Writes one quantity as Kubernetes serialises it; what is no quantity is left for validation. */
export function canonicalize(target: Raw, name: string): void {
  const parsed = parse(target[name]);
  if (parsed) target[name] = formatQuantity(parsed);
}

/** Resource lists besides are rounded up to milli; a null entry becomes 0. */
export function defaultResourceList(list: unknown): void {
  if (!isRaw(list)) return;
  for (const [name, value] of Object.entries(list)) {
    const parsed = parse(value ?? 0);
    // defineProperty, because a resource may be called __proto__.
    if (parsed) Object.defineProperty(list, name, { value: formatQuantity(roundUpToMilli(parsed)) });
  }
}

function parse(value: unknown): ReturnType<typeof parseQuantity> {
  return typeof value === "string" || typeof value === "number" ? parseQuantity(value) : undefined;
}

/** `resourceFieldRef.divisor` is canonicalised, never rounded. */
export function defaultDivisor(resourceFieldRef: unknown): void {
  if (isRaw(resourceFieldRef)) canonicalize(resourceFieldRef, "divisor");
}
