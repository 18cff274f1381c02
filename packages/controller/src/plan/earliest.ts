// SPDX-License-Identifier: Apache-2.0

/** The first of those times that are known. */
export function earliest(times: Iterable<number | undefined>): number | undefined {
  let first: number | undefined;
  for (const time of times) if (time !== undefined && !(first !== undefined && first <= time)) first = time;
  return first;
}
