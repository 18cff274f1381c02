// SPDX-License-Identifier: Apache-2.0

/** Whether a code point belongs to a set. */
export type CharSet = (codePoint: number) => boolean;

/** Where an assertion without width holds. */
export type Place = "textBegin" | "textEnd" | "lineBegin" | "lineEnd" | "word" | "notWord";

export type Re2Node =
  | { readonly kind: "set"; readonly has: CharSet }
  | { readonly kind: "place"; readonly place: Place }
  | { readonly kind: "all"; readonly items: readonly Re2Node[] }
  | { readonly kind: "any"; readonly items: readonly Re2Node[] }
  /** `most` is Infinity where there is no bound; `counted`: written as `{n}`. */
  | {
      readonly kind: "repeat";
      readonly item: Re2Node;
      readonly least: number;
      readonly most: number;
      readonly counted: boolean;
    };

/** A pattern that Go refuses. The message completes "It …". */
export class Re2SyntaxError extends Error {}
