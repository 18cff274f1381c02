// SPDX-License-Identifier: Apache-2.0
import type { FieldError } from "@hot/spec";
import { isDeepStrictEqual } from "node:util";
import type { Case, Comparison } from "./corpus-case.ts";

interface Refusal {
  readonly type: string;
  readonly field: string;
}

/**
 * How alike refusals are beyond being refused, for validate.jsonl: multisets of error types, and of types with paths.
 * Told, not judged: Kruise's paths are irregular (`spec[0].resourcesPolicy…`), and ours are those of the object.
 */
export class SecondLevel {
  refusals = 0;
  #types = 0;
  #paths = 0;

  add(one: Case, { ours }: Comparison): void {
    const { errors: theirs } = one.expected as { errors?: Refusal[] };
    if (!theirs) return;
    const alike = (key: (error: Refusal) => string): boolean =>
      isDeepStrictEqual((ours as FieldError[]).map(key).sort(), theirs.map(key).sort());
    this.refusals++;
    if (alike(({ type }) => type)) this.#types++;
    if (alike(({ type, field }) => `${type} ${field}`)) this.#paths++;
  }

  sentence(): string {
    return `second level, of ${this.refusals} refusals: ${this.#types} with the same types of errors, ${this.#paths} with the same paths too`;
  }
}
