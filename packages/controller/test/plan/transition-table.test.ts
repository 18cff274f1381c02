// SPDX-License-Identifier: Apache-2.0
// The table in docs/hot-upgrade.md, held against the plan.
import { readFileSync } from "node:fs";
import { isReason, RECORD_ANNOTATION_PREFIX } from "@hot/spec";
import { expect, test } from "vitest";
import { planFor, verdict } from "../support/planning.ts";
import type { Row } from "./situations.ts";
import { rows } from "./transitions.ts";

const PAGE = new URL("../../../../docs/hot-upgrade.md", import.meta.url);
const WRITES = new Set(["REPAIR", "MARK", "UPGRADE", "ADOPT", "RESET", "ABORT"]);

interface Line {
  readonly row: number;
  readonly state: string;
  readonly observation: string;
  /** Kinds of writes, reason codes, and `nothing`. */
  readonly actions: readonly string[];
}

function readTable(): Line[] {
  const [, section = ""] = readFileSync(PAGE, "utf8").split("\n## State × observation → action\n");
  const lines = section.split("\n## ", 1)[0]?.split("\n") ?? [];
  return lines.flatMap((line): Line[] => {
    const [, row = "", state = "", observation = "", action = ""] = line.split("|").map((cell) => cell.trim());
    if (!/^\d+$/.test(row)) return [];
    const words = action.match(/\b[A-Z]{4,}\b|`\w+`|\bnothing\b(?! is)/g) ?? [];
    const actions = words.map((word) => word.replaceAll("`", ""));
    return [{ row: Number(row), state: state.replace(/ \(.*/, ""), observation, actions: [...new Set(actions)] }];
  });
}

/** The action as the table names it; a pod that is up to date is left alone. */
function actionOf({ pod, set, but = {} }: Row): string {
  const name = set?.metadata.name ?? "mesh";
  const is = verdict(planFor([pod], set, { name, ...but }));
  return is === "UpToDate" ? "nothing" : is;
}

const table = readTable();

test("the table is the one that is meant: its rows are counted, and every action is a write or a reason code", () => {
  expect(table.map(({ row }) => row)).toEqual(table.map((_, i) => i + 1));
  expect(table.length).toBeGreaterThan(15);
  for (const { actions } of table) {
    expect(actions).not.toEqual([]);
    // `failed` is a member of the record, see below.
    const unknown = actions.filter((one) => !WRITES.has(one) && !isReason(one) && !["nothing", "failed"].includes(one));
    expect(unknown).toEqual([]);
  }
});

test.each(table)("$row $state | $observation → $actions", ({ row, state, actions }) => {
  const situations = rows.filter((one) => one.row === row);
  const done = new Set(situations.map(actionOf));
  expect([...done].sort()).toEqual(actions.filter((one) => one !== "failed").sort());
  if (state !== "any") expect(new Set(situations.map((one) => one.state))).toEqual(new Set([state]));
});

test("every situation belongs to a row", () => {
  expect(rows.filter(({ row }) => !table.some((line) => line.row === row))).toEqual([]);
});

test.each(table.filter(({ actions }) => actions.includes("ABORT")))(
  "$row: an abort is noted as failed exactly where the table says so",
  ({ row, actions }) => {
    const aborts = rows
      .filter((one) => one.row === row)
      .flatMap(({ pod, set, but = {} }) => planFor([pod], set, { name: set?.metadata.name ?? "mesh", ...but }).writes)
      .filter(({ write }) => write.kind === "abort");
    expect(aborts).not.toEqual([]);
    const noted = aborts.map(({ write }) => write.annotations[`${RECORD_ANNOTATION_PREFIX}x`]?.includes('"failed"'));
    expect(new Set(noted)).toEqual(new Set([actions.includes("failed")]));
  },
);
