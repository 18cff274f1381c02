// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { WordName } from "../../src/protocol/word.ts";
import { mayChange, OWNER_BY, WORD, wordName } from "../../src/protocol/word.ts";

const NAMES = Object.keys(WORD) as WordName[];

/** The design's table, line by line: from → to, by whom. */
const ALLOWED = new Set([
  "PREP COMMITTED old",
  "COMMITTED CONFIRMED new",
  "PREP ABORTED old",
  "PREP ABORTED new",
  "COMMITTED ROLLED old",
  "COMMITTED ROLLED new",
  "PREP CONFIRMED new",
  "ABORTED CONFIRMED new",
  "ROLLED CONFIRMED new",
  "CONFIRMED RETURNED old",
  "CONFIRMED RELEASED new",
  "ABORTED RELEASED old",
  "ROLLED RELEASED old",
]);

test("exactly these changes are allowed", () => {
  for (const from of NAMES) {
    for (const to of NAMES) {
      for (const by of ["old", "new"] as const) {
        expect([from, to, by, mayChange(from, to, by)]).toEqual([from, to, by, ALLOWED.has(`${from} ${to} ${by}`)]);
      }
    }
  }
});

test("RETURNED and RELEASED are final", () => {
  for (const to of NAMES) {
    for (const from of ["RETURNED", "RELEASED"] as const) {
      expect(mayChange(from, to, "old") || mayChange(from, to, "new")).toBe(false);
    }
  }
});

test("the owner by the word", () => {
  const owner = (who: string): string[] => NAMES.filter((name) => OWNER_BY[name] === who).sort();
  expect(owner("old")).toEqual(["ABORTED", "PREP", "RETURNED", "ROLLED"]);
  expect(owner("new")).toEqual(["COMMITTED", "CONFIRMED"]);
});

test("names and numbers", () => {
  for (const name of NAMES) expect(wordName(WORD[name])).toBe(name);
  expect(wordName(0)).toBeNull();
  expect(wordName(99)).toBeNull();
});
