// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

export interface CorpusCase {
  name: string;
  quirk?: string;
}

export interface Corpus<C extends CorpusCase> {
  /** `hash.jsonl` */
  file: string;
  /** Folder of the committed copy, used where the whole corpus is not at hand. */
  copies: URL;
  /** Undefined when the case passes, else what differs. */
  check: (testCase: C) => string | undefined;
  /** Quirks must be copied too. */
  strict?: boolean;
}

/** `HOT_CONFORMANCE`, or the folder beside the repository. */
const whole = process.env["HOT_CONFORMANCE"] ?? join(import.meta.dirname, "../../../shared/conformance/open");

/** Defines one test per case and prints at the end: passed, quirk differs (reported, not failed), failed. */
export function runCorpus<C extends CorpusCase>({ file, copies, check, strict = false }: Corpus<C>): void {
  const path = join(whole, file);
  const text = readFileSync(existsSync(path) ? path : new URL(file, copies), "utf8");
  const cases = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as C);
  const counts = { passed: 0, quirkDiffers: 0, failed: 0 };

  describe(file, () => {
    it.each(cases)("$name", (testCase) => {
      const found = run(() => check(testCase));
      const tolerated = found !== undefined && testCase.quirk !== undefined && !strict;
      if (found === undefined) counts.passed++;
      else if (tolerated) counts.quirkDiffers++;
      else counts.failed++;
      if (!tolerated) expect(found).toBeUndefined();
    });

    afterAll(() => {
      console.log(`${file}: ${counts.passed} passed, ${counts.quirkDiffers} quirk differs, ${counts.failed} failed`);
    });
  });
}

function run(check: () => string | undefined): string | undefined {
  try {
    return check();
  } catch (error) {
    return `threw ${String(error)}`;
  }
}
