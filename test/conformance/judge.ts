// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import { comparisons, strictFiles } from "./comparisons.ts";
import { UnknownCaseError, type Case, type Comparison } from "./corpus-case.ts";
import { firstDifferences } from "./differences.ts";
import { rules } from "./rules/rules.ts";

export type Verdict =
  | { readonly is: "passed"; readonly comparison: Comparison }
  /** Differs; `rule`: what we do instead was checked. A quirk without a rule is tolerated and not checked. */
  | {
      readonly is: "skipped";
      readonly rule?: string;
      readonly differences: readonly string[];
      readonly comparison: Comparison;
    }
  | { readonly is: "failed"; readonly differences: readonly string[] };

/** Judges one case of a known file. */
export function judge(file: string, one: Case): Verdict {
  try {
    const comparison = comparisons[file]?.(one as never);
    if (comparison === undefined) return { is: "failed", differences: [`${file} is not known`] };
    const { actual, wanted } = comparison;
    if (isDeepStrictEqual(actual, wanted)) return { is: "passed", comparison };
    const differences = firstDifferences(actual, wanted);
    const isQuirk = one.quirk !== undefined && !strictFiles.has(file);
    const rule = rules[file]?.find(
      (entry) => (isQuirk || entry.exception) && entry.holds(one as never, comparison as never),
    );
    if (rule) return { is: "skipped", rule: rule.id, differences, comparison };
    return isQuirk ? { is: "skipped", differences, comparison } : { is: "failed", differences };
  } catch (error) {
    return { is: "failed", differences: [reasonOf(error)] };
  }
}

/** An error that is not expected comes with the place where it was thrown. */
function reasonOf(error: unknown): string {
  if (error instanceof UnknownCaseError) return error.message;
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  const [place = ""] = /\n\s+at .*/.exec(error.stack ?? "") ?? [];
  return `threw ${error.name}: ${error.message}${place.replace(/^\n\s+/, " ")}`;
}
