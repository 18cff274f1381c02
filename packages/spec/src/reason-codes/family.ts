// SPDX-License-Identifier: Apache-2.0

/** `[code, what is the case, what to do about it]`, keyed by reason. */
export type Family = Readonly<
  Record<string, readonly [code: `HOT${1 | 2 | 3 | 4 | 5}${string}`, sentence: string, fix: string]>
>;
