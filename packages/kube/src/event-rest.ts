// SPDX-License-Identifier: Apache-2.0

/** Times as long as the last event took: the slower the server is, the less often it is asked. */
const REST = 10;
/** Whoever watches hears of something, however slow the server is; in milliseconds. */
export const LONGEST_REST_MS = 1_000;

/**
 * How long normal events are held back after one that took this long, in milliseconds: not at all where nothing else
 * is to be written, and otherwise for so long that they are a small share of what the server does.
 */
export function restAfterEvent(isBusy: boolean, tookMs: number): number {
  return isBusy ? Math.min(LONGEST_REST_MS, REST * tookMs) : 0;
}
