// SPDX-License-Identifier: Apache-2.0
import { parseCase, UnknownCaseError, type Case } from "./corpus-case.ts";
import { judge, type Verdict } from "./judge.ts";
import { SecondLevel } from "./second-level.ts";

/** Failed cases whose differences are shown. */
const MOST_SHOWN = 20;

/** The verdicts on the cases of one file, counted one by one, so that a file may be of any size. */
export class Tally {
  passed = 0;
  failed = 0;
  skipped = 0;
  readonly #file: string;
  readonly #shown: string[] = [];
  readonly #rules = new Map<string, number>();
  readonly #second = new SecondLevel();
  #exceptions = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** @param number - of the line in its file, from 1 on */
  add(line: string, number: number): void {
    if (line.trim() === "") return;
    let one: Case;
    try {
      one = parseCase(line);
    } catch (error) {
      if (!(error instanceof UnknownCaseError)) throw error;
      this.#fail(`line ${number}`, [error.message]);
      return;
    }
    const verdict = judge(this.#file, one);
    if (verdict.is === "failed") this.#fail(one.name, verdict.differences);
    else this.#count(one, verdict);
  }

  #count(one: Case, verdict: Exclude<Verdict, { is: "failed" }>): void {
    if (verdict.is === "passed") {
      this.passed++;
      if (this.#file === "validate.jsonl") this.#second.add(one, verdict.comparison);
      return;
    }
    this.skipped++;
    if (one.quirk === undefined) this.#exceptions++;
    const rule = verdict.rule ?? "not checked";
    this.#rules.set(rule, (this.#rules.get(rule) ?? 0) + 1);
  }

  #fail(name: string, differences: readonly string[]): void {
    this.failed++;
    if (this.failed <= MOST_SHOWN) this.#shown.push(`  ${name}`, ...differences.map((text) => `    ${text}`));
  }

  /** Lines for people: counts, what was done instead, and the first differences. */
  report(): string[] {
    const quirks = this.skipped - this.#exceptions;
    const lines = [`${this.#file}: ${this.passed} passed, ${this.failed} failed, ${quirks} skipped(quirk)`];
    if (this.#exceptions > 0)
      lines.push(`  ${this.#exceptions} more differ on purpose, though they are not marked as quirks`);
    const rules = [...this.#rules].map(([rule, count]) => `${rule} ${count}`).join(", ");
    if (rules !== "") lines.push(`  what is done instead, see docs/compatibility.md: ${rules}`);
    if (this.#second.refusals > 0) lines.push(`  ${this.#second.sentence()}`);
    lines.push(...this.#shown);
    if (this.failed > MOST_SHOWN) lines.push(`  … and ${this.failed - MOST_SHOWN} more`);
    return lines;
  }
}
