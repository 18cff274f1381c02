// SPDX-License-Identifier: Apache-2.0
import { parseRe2 } from "./re2/parse.ts";
import { compileProgram, matcher } from "./re2/program.ts";
import { Re2SyntaxError } from "./re2/syntax.ts";

/** A compiled pattern. */
export interface Re2 {
  /** Whether the pattern matches anywhere in the text. The time grows with both lengths only, whatever the pattern. */
  test(text: string): boolean;
  /** The most steps that one character of a text can cost. */
  readonly steps: number;
}

/**
 * Compiles a regular expression in Go's RE2 syntax, as Kruise's fields have it, or says why it can't be: what Go
 * refuses is refused, and no pattern can hang.
 *
 * @example compileRe2("^app") // { regex: { test: … } }
 * @example compileRe2("(?=a)") // { problem: "has look-around or another group that RE2 lacks" }
 */
export function compileRe2(pattern: string): { regex: Re2 } | { problem: string } {
  try {
    const program = compileProgram(parseRe2(pattern));
    return { regex: { test: matcher(program), steps: program.length } };
  } catch (error) {
    if (error instanceof Re2SyntaxError) return { problem: error.message };
    throw error;
  }
}
