// SPDX-License-Identifier: Apache-2.0

/** Milliseconds since the epoch of an RFC 3339 time; undefined if there is none or it can't be read. */
export function toMillis(time: string | null | undefined): number | undefined {
  if (typeof time !== "string") return undefined;
  const millis = Date.parse(time);
  return Number.isNaN(millis) ? undefined : millis;
}

/** RFC 3339 in UTC with whole seconds, rounded up: a deadline that is written down never comes early. */
export function toRfc3339(millis: number): string {
  return new Date(Math.ceil(millis / 1000) * 1000).toISOString().replace(".000Z", "Z");
}
