// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { comparisons } from "./comparisons.ts";
import { parseCases, type Case } from "./corpus-case.ts";
import { judge } from "./judge.ts";

const read = (file: string): string => readFileSync(new URL(file, import.meta.url), "utf8");

describe.each(Object.keys(comparisons))("%s", (file) => {
  const cases = parseCases<Case>(read(`corpus/${file}`));

  test.each(cases)("$name", (one) => {
    const verdict = judge(file, one);
    expect(verdict).not.toHaveProperty("is", "failed");
    // A quirk that we do not copy has a rule, which has checked what we do instead.
    if (verdict.is === "skipped") expect(verdict).toHaveProperty("rule");
  });
});
