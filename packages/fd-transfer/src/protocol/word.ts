// SPDX-License-Identifier: Apache-2.0

/**
 * WORD decides who owns. One u32 in memory that both sides map, made by the old side for each hand-over and changed
 * only by compare-and-swap; messages merely wake the peer up.
 */
export const WORD = { PREP: 1, COMMITTED: 2, CONFIRMED: 3, ABORTED: 4, ROLLED: 5, RETURNED: 6, RELEASED: 7 } as const;

export type WordName = keyof typeof WORD;

/** `old` had the listeners first, `new` asked for them. */
export type Side = "old" | "new";

export interface Transition {
  readonly from: WordName;
  readonly to: WordName;
  readonly by: Side;
  /** The only observation under which it is allowed. */
  readonly when: string;
}

export const TRANSITIONS: readonly Transition[] = [
  { from: "PREP", to: "COMMITTED", by: "old", when: "COMMIT came" },
  { from: "COMMITTED", to: "CONFIRMED", by: "new", when: "the guard has passed, or EOF of old" },
  { from: "PREP", to: "ABORTED", by: "old", when: "EOF, NACK, deadline" },
  { from: "PREP", to: "ABORTED", by: "new", when: "probe failed, transfer failed, told to stop" },
  { from: "COMMITTED", to: "ROLLED", by: "old", when: "EOF, NACK, no PONG, guard timeout" },
  { from: "COMMITTED", to: "ROLLED", by: "new", when: "unhealthy, told to stop" },
  { from: "PREP", to: "CONFIRMED", by: "new", when: "EOF of old" },
  { from: "ABORTED", to: "CONFIRMED", by: "new", when: "EOF of old" },
  { from: "ROLLED", to: "CONFIRMED", by: "new", when: "EOF of old" },
  { from: "CONFIRMED", to: "RETURNED", by: "old", when: "EOF or YIELD of new" },
  { from: "CONFIRMED", to: "RELEASED", by: "new", when: "before it serves a next HELLO" },
  { from: "ABORTED", to: "RELEASED", by: "old", when: "that peer has not closed in lingerMs" },
  { from: "ROLLED", to: "RELEASED", by: "old", when: "that peer has not closed in lingerMs" },
];

export function mayChange(from: WordName, to: WordName, by: Side): boolean {
  return TRANSITIONS.some((one) => one.from === from && one.to === to && one.by === by);
}

/** Name of a loaded value; null for a value that no side ever writes. */
export function wordName(value: number): WordName | null {
  for (const [name, number] of Object.entries(WORD)) if (number === value) return name as WordName;
  return null;
}

/** Who owns by the word alone. RELEASED ends the pair: the one who released goes on. */
export const OWNER_BY: { readonly [W in WordName]: Side | "whoever released" } = {
  PREP: "old",
  ABORTED: "old",
  ROLLED: "old",
  RETURNED: "old",
  COMMITTED: "new",
  CONFIRMED: "new",
  RELEASED: "whoever released",
};
