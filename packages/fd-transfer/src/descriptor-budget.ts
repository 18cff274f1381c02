// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from "node:fs";

/** Kept for new connections and for the application: at the limit Node accepts and closes them (K28). */
const RESERVE = 64;

/** How many more descriptors this process can take over and still have `reserve` of them. */
export function descriptorBudget(reserve = RESERVE): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    if (soft === undefined) return 0xffff_ffff; // unlimited
    return Math.max(0, Number(soft) - readdirSync("/proc/self/fd").length - reserve);
  } catch {
    return 0; // not one is left, to look with
  }
}
