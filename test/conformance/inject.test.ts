// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { compareCase, parseCases, type CorpusCase } from "../../packages/inject/test/corpus/check-case.ts";

const CORPUS = new URL("corpus/inject.jsonl", import.meta.url);
const cases = parseCases(readFileSync(CORPUS, "utf8"));

/** Injection of recorded revisions and resourcesPolicy: not there yet. */
function isOpen({ name, input }: CorpusCase): boolean {
  return name.startsWith("revision/") || JSON.stringify(input).includes('"resourcesPolicy":');
}

describe("inject.jsonl", () => {
  test.each(cases.filter((one) => one.quirk === undefined && !isOpen(one)))("$name", (corpusCase) => {
    const { actual, wanted } = compareCase(corpusCase);
    expect(actual).toEqual(wanted);
  });

  test("quirks: those that are fixed on purpose, and no others", () => {
    const different = cases
      .filter((one) => one.quirk !== undefined && !isOpen(one))
      .filter((one) => {
        const { actual, wanted } = compareCase(one);
        return !isDeepStrictEqual(actual, wanted);
      });
    expect(different.map(({ name }) => name)).toEqual(FIXED);
  });
});

/** Upstream's behaviour that is not copied; docs/compatibility explains each. */
const FIXED = [
  "match/ns-selector-invalid",
  "init/same-name-replaced",
  "conflict/two-sets-same-container",
  "conflict/two-sets-same-container-in-pod",
  "secrets/pod-duplicates-removed",
  "record/unknown-keys-in-hash-entry",
  "patch/06",
  "patch/24",
];
