// SPDX-License-Identifier: Apache-2.0
import type { FieldError } from "@hot/spec";
import { isDeepStrictEqual } from "node:util";
import type { Case } from "./corpus-case.ts";
import type { Verdict } from "./judge.ts";

interface Refusal {
  readonly type: string;
  readonly field: string;
}

/**
 * How alike refusals are beyond being refused, for validate.jsonl: multisets of error types, and of types with paths.
 * Told, not judged: Kruise's paths are irregular (`spec[0].resourcesPolicy…`), and ours are those of the object.
 */
export function secondLevel(file: string, judged: readonly { one: Case; verdict: Verdict }[]): string | undefined {
  if (file !== "validate.jsonl") return undefined;
  const refusals = judged.flatMap(({ one, verdict }) => {
    const { errors } = one.expected as { errors?: Refusal[] };
    return errors && verdict.is === "passed" ? [{ theirs: errors, ours: verdict.comparison.ours as FieldError[] }] : [];
  });
  const alike = (key: (error: Refusal) => string): number =>
    refusals.filter(({ ours, theirs }) => isDeepStrictEqual(ours.map(key).sort(), theirs.map(key).sort())).length;
  const types = alike(({ type }) => type);
  const both = alike(({ type, field }) => `${type} ${field}`);
  return `second level, of ${refusals.length} refusals: ${types} with the same types of errors, ${both} with the same paths too`;
}
