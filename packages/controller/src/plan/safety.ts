// SPDX-License-Identifier: Apache-2.0
import type { Side } from "./hot-pair.ts";
import { observedServing } from "./pod-state.ts";

/** Container name → image. */
export type Images = Readonly<Record<string, string>>;

/**
 * The safety rule: a side is emptied only while its sibling is observed running, ready and on its spec image.
 * No other function puts an empty image into a write.
 *
 * @returns the image to write, or undefined where emptying is refused
 */
export function emptied(side: Side, sibling: Side, emptyImage: string): Images | undefined {
  return observedServing(sibling) ? { [side.container.name]: emptyImage } : undefined;
}
