// SPDX-License-Identifier: Apache-2.0
import type { Wish } from "./sidecar-sets.ts";

/** One SidecarSet by its name, whether it exists or not, and what is its own in a pod. */
export class Scope {
  readonly name: string;
  /** Base names of its hot containers. */
  readonly bases: readonly string[];
  /** Hash of a SidecarSet → what it wanted. */
  readonly wishes = new Map<string, Wish>();
  /** Every note that it has wished for. */
  readonly notes = new Set<string>();
  wish: Wish;
  /** At least once. */
  wasDeleted = false;

  constructor(wish: Wish) {
    this.name = wish.name;
    this.bases = Object.keys(wish.hot);
    this.wish = wish;
  }

  /** Names of its containers in pods. */
  get containers(): ReadonlySet<string> {
    const cold = this.wish.cold === undefined ? [] : ["c"];
    return new Set([...this.bases.flatMap((base) => [`${base}-1`, `${base}-2`]), ...cold]);
  }
}
