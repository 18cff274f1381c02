// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checks, strictFiles, type Case } from "./corpus/checks.ts";

/** A small copy of the corpus that was made by running OpenKruise; the whole of it runs in test/conformance. */
describe.each(Object.entries(checks))("%s behaves as OpenKruise", (file, check) => {
  const lines = readFileSync(new URL(`corpus/${file}`, import.meta.url), "utf8")
    .trim()
    .split("\n");
  const cases = lines.map((line) => JSON.parse(line) as Case);

  it.each(cases.filter(({ quirk }) => quirk === undefined || strictFiles.has(file)))("$name", (testCase) => {
    expect(check(testCase)).toBeUndefined();
  });

  it.each(cases.filter(({ quirk }) => quirk !== undefined))("$name is judged without a crash", (testCase) => {
    expect(() => check(testCase)).not.toThrow();
  });
});
