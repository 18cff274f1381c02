// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { compareCase, parseCases } from "../../packages/inject/test/corpus/check-case.ts";

const CORPUS = new URL("corpus/inject.jsonl", import.meta.url);
const cases = parseCases(readFileSync(CORPUS, "utf8"));

/**
 * Not marked a quirk, and not copied either: the pod has a container of its own with the sidecar's name, which Kruise
 * replaces. A container of the user is never replaced here; the pod is denied (HOT2101).
 */
const COLLISION = "resources/excludes-matched-sets-names";

describe("inject.jsonl", () => {
  test.each(cases.filter((one) => one.quirk === undefined && one.name !== COLLISION))("$name", (corpusCase) => {
    const { actual, wanted } = compareCase(corpusCase);
    expect(actual).toEqual(wanted);
  });

  test(`${COLLISION}: denied, never replaced`, () => {
    const corpusCase = cases.find(({ name }) => name === COLLISION);
    expect(corpusCase && compareCase(corpusCase).actual).toMatchObject({ denied: true, skip: true });
  });

  test("quirks: those that are fixed on purpose, and no others", () => {
    const different = cases
      .filter((one) => one.quirk !== undefined)
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
  "revision/foreign-revision",
  "resources/cpu-in-memory-field",
  "resources/unknown-mode",
];
