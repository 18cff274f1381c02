// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import { comparisons, strictFiles } from "./comparisons.ts";
import type { Case, Comparison } from "./corpus-case.ts";
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
    return {
      is: "failed",
      differences: [`threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`],
    };
  }
}
