// SPDX-License-Identifier: Apache-2.0

/** Whether a code point belongs to a set. */
export type CharSet = (codePoint: number) => boolean;

/** Where an assertion without width holds. */
export type Place = "textBegin" | "textEnd" | "lineBegin" | "lineEnd" | "word" | "notWord";

/** `copies`: how often the most repeated part is written out, counted repetitions such as `{n}` in each other multiplied. */
export type Re2Node =
  | { readonly kind: "set"; readonly has: CharSet; readonly copies: 1 }
  | { readonly kind: "place"; readonly place: Place; readonly copies: 1 }
  | { readonly kind: "all"; readonly items: readonly Re2Node[]; readonly copies: number }
  | { readonly kind: "any"; readonly items: readonly Re2Node[]; readonly copies: number }
  /** `most` is Infinity where there is no bound. */
  | {
      readonly kind: "repeat";
      readonly item: Re2Node;
      readonly least: number;
      readonly most: number;
      readonly copies: number;
    };

/** A pattern that Go refuses. The message completes "It …". */
export class Re2SyntaxError extends Error {}
