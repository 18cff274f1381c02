// SPDX-License-Identifier: Apache-2.0
import { isRaw } from "./defaults/raw.ts";

/**
 * A copy without members that are null, which mean "not set", so that readers need not think of them. Items of lists
 * stay.
 *
 * @example withoutNulls({ a: null, b: [{ c: null }] }) // { b: [{}] }
 */
export function withoutNulls<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutNulls) as T;
  if (!isRaw(value)) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutNulls(item)])) as T;
}
