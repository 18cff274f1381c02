// SPDX-License-Identifier: Apache-2.0

const UNSUPPORTED = /\(\?(?:=|!|<=|<!)|\\[1-9]|\\k</;
const REPETITION = /\{(\d+)(?:,(\d*))?\}/g;
const MAX_REPETITION = 1000;

/**
 * Compiles a regular expression in Go's RE2 syntax, as Kruise's fields have it, or says why it can't be.
 * `(?P<name>…)` and leading flags are translated; what RE2 lacks (look-around, back-references) is refused.
 */
export function compileRe2(pattern: string): { regex: RegExp } | { problem: string } {
  const withoutEscapes = pattern.replaceAll("\\\\", "");
  if (UNSUPPORTED.test(withoutEscapes)) return { problem: "has look-around or a back-reference, which RE2 lacks" };
  for (const [, least = "0", most = ""] of withoutEscapes.matchAll(REPETITION))
    if (Number(least) > MAX_REPETITION || Number(most) > MAX_REPETITION)
      return { problem: `repeats more than ${MAX_REPETITION} times` };
  const [, flags = "", rest = ""] = /^(?:\(\?([ims]+)\))?([^]*)$/.exec(pattern) ?? [];
  const source = rest.replaceAll("(?P<", "(?<").replaceAll("\\A", "^").replaceAll("\\z", "$");
  try {
    return { regex: new RegExp(source, flags) };
  } catch (error) {
    return { problem: `is no regular expression: ${error instanceof Error ? error.message : String(error)}` };
  }
}
