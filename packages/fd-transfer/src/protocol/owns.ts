// SPDX-License-Identifier: Apache-2.0
import type { WordName } from "./word.ts";
import { OWNER_BY } from "./word.ts";

/**
 * Whether a process that has a tenure still owns, by the words of its two links: `given` as the old side, `taken` as the
 * new side; null = no such link. `releasing`: the new side itself wrote RELEASED.
 */
export function owns(given: WordName | null, taken: WordName | null, releasing: boolean): boolean {
  if (given !== null && OWNER_BY[given] === "new") return false;
  if (taken === null || OWNER_BY[taken] === "new") return true;
  // Released by this side; by the other one it means that this side's trial is over.
  return taken === "RELEASED" && releasing;
}
