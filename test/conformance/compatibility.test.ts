// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { DIFFERENCES } from "./compatibility/differences.ts";
import { compatibilityDocument } from "./compatibility/document.ts";
import { FIELD_REMARKS, fieldRows } from "./compatibility/fields.ts";
import { rules } from "./rules/rules.ts";

test("docs/compatibility.md is what the tables say", async () => {
  await expect(compatibilityDocument()).toMatchFileSnapshot("../../docs/compatibility.md");
});

test("every remark is about a field that exists, and every field has one row", () => {
  const rows = fieldRows().map(([name]) => name);
  expect(Object.keys(FIELD_REMARKS).filter((path) => !rows.includes(`\`${path}\``))).toEqual([]);
  expect(new Set(rows).size).toBe(rows.length);
});

test("every difference that the corpus is judged by is one of the documented ones", () => {
  const documented = DIFFERENCES.map(([id]) => id);
  expect(new Set(documented).size).toBe(documented.length);
  const used = Object.values(rules).flatMap((list) => list.map(({ id }) => id));
  expect(used.filter((id) => !documented.includes(id))).toEqual([]);
});
