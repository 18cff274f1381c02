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

/** A line, or an input in it, that the schema of the corpus does not know. */
export class UnknownCaseError extends Error {
  override readonly name = "UnknownCaseError";
}

/**
 * Reads one line.
 *
 * @throws {UnknownCaseError} when it is no case
 */
export function parseCase(line: string): Case {
  let value: Partial<Case> | null;
  try {
    value = JSON.parse(line) as Partial<Case> | null;
  } catch (error) {
    throw new UnknownCaseError(`it is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const isObject = (member: unknown): boolean => typeof member === "object" && member !== null;
  if (typeof value?.name !== "string" || !isObject(value.input) || !isObject(value.expected))
    throw new UnknownCaseError("a case has a name and the objects input and expected");
  return value as Case;
}

/** All cases of a file that has nothing else. */
export function parseCases<C extends Case>(jsonl: string): C[] {
  return jsonl
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => parseCase(line) as C);
}
