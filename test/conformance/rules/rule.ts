// SPDX-License-Identifier: Apache-2.0
import type { Case, Comparison } from "../corpus-case.ts";

/** A difference from Kruise that is made on purpose. Rules look at what a case contains, never at its name. */
export interface Rule<C extends Case = Case, O = unknown> {
  /** The row of docs/compatibility.md that explains it. */
  readonly id: string;
  /** Differs in cases that are not marked as quirks too. */
  readonly exception?: true;
  /** Whether the case is one in question, and our result is the better one that the row promises. */
  readonly holds: (one: C, comparison: Comparison & { readonly ours: O }) => boolean;
}
