// SPDX-License-Identifier: Apache-2.0

/** No server stays behind when the bench is killed: its stdin ends then. */
export function endWithParent(end: () => void = () => process.exit(1)): void {
  process.stdin.on("end", end).on("error", end).resume();
}
