// SPDX-License-Identifier: Apache-2.0

const OFFSET = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds of the monotonic clock, the same in all processes of this machine. */
export function now(): number {
  return performance.now() + OFFSET;
}
