// SPDX-License-Identifier: Apache-2.0
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { applyPatch } from "@hot/inject";
import { accept, caseNames, expectedOf, isAsExpected, runCase } from "./cases.ts";

/** See README.md in this folder for what a case is and how to change one. */
const FOLDER = import.meta.dirname;

test.each(caseNames(FOLDER))("%s", (name) => {
  const { input, actual, patch } = runCase(FOLDER, name);
  expect(actual).toEqual(expectedOf(FOLDER, name));
  expect(applyPatch(input, patch)).toEqual(actual.pod);
});

const scratch = mkdtempSync(join(tmpdir(), "hot-golden-"));
afterAll(() => rmSync(scratch, { recursive: true }));

test("a case that is accepted is as expected from then on, and its inputs stay as they are", () => {
  const [name = ""] = caseNames(FOLDER);
  for (const expected of ["{}", undefined]) {
    cpSync(join(FOLDER, name), join(scratch, name), { recursive: true });
    const path = join(scratch, name, "expected.json");
    if (expected === undefined) rmSync(path);
    else writeFileSync(path, expected);
    expect(isAsExpected(scratch, name)).toBe(false);
    expect(accept(scratch, name)).toBe(path);
    expect(isAsExpected(scratch, name)).toBe(true);
    expect(expectedOf(scratch, name)).toEqual(expectedOf(FOLDER, name));
    for (const part of ["pod.json", "sidecarsets.json"])
      expect(readFileSync(join(scratch, name, part), "utf8")).toBe(readFileSync(join(FOLDER, name, part), "utf8"));
  }
});
