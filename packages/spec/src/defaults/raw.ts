// SPDX-License-Identifier: Apache-2.0

/** An object as it came out of a JSON parser, before its types have been checked. */
export type Raw = Record<string, unknown>;

export function isRaw(value: unknown): value is Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The objects among the elements of a list with their index; nothing when it is no list. */
export function rawEntries(value: unknown): [index: number, item: Raw][] {
  const entries: [number, Raw][] = [];
  for (const [index, item] of (Array.isArray(value) ? value : []).entries())
    if (isRaw(item)) entries.push([index, item]);
  return entries;
}

/** The objects among the elements of a list; nothing when it is no list. */
export function rawItems(value: unknown): Raw[] {
  return rawEntries(value).map(([, item]) => item);
}

/** Sets a member to its default where it is missing, null or Go's zero value. */
export function setDefault(target: Raw, name: string, value: unknown): void {
  const present = target[name];
  if (present === undefined || present === null || present === "" || present === 0) target[name] = value;
}

/** The object in a member, created when the member is missing or null; undefined when it is something else. */
export function ensureRaw(target: Raw, name: string): Raw | undefined {
  target[name] ??= {};
  const present = target[name];
  return isRaw(present) ? present : undefined;
}
