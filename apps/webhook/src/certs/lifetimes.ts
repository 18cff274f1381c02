// SPDX-License-Identifier: Apache-2.0

/** In milliseconds. */
export interface Lifetimes {
  leafMs: number;
  authorityMs: number;
}

const DAY_MS = 24 * 3600 * 1000;

export const LIFETIMES: Lifetimes = { leafMs: 7 * DAY_MS, authorityMs: 365 * DAY_MS };
