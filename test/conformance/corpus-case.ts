// SPDX-License-Identifier: Apache-2.0

/** One line of a corpus file. */
export interface Case<I = unknown, E = unknown> {
  readonly name: string;
  /** Why a better implementation may differ. */
  readonly quirk?: string;
  readonly input: I;
  readonly expected: E;
}

/** What we do and what Kruise does, in the form in which they are compared. */
export interface Comparison {
  readonly actual: unknown;
  readonly wanted: unknown;
  /** More of our result than is compared; for the rules about what we do otherwise. */
  readonly ours?: unknown;
}

export function parseCases<C extends Case>(jsonl: string): C[] {
  const lines = jsonl.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => JSON.parse(line) as C);
}
