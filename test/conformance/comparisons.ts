// SPDX-License-Identifier: Apache-2.0
import { compareRound, compareStrategy } from "./compare/controller.ts";
import { compareInjection } from "./compare/inject.ts";
import { specComparisons } from "./compare/spec.ts";
import type { Comparison } from "./corpus-case.ts";

/** How a line of each known corpus file is compared. */
export const comparisons: Readonly<Record<string, (one: never) => Comparison>> = {
  ...specComparisons,
  "inject.jsonl": compareInjection,
  "strategy.jsonl": compareStrategy,
  "hot-upgrade.jsonl": compareRound,
};

/** Quirks of these files must be copied for bit compatibility. */
export const strictFiles: ReadonlySet<string> = new Set(["hash.jsonl"]);
