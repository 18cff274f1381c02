// SPDX-License-Identifier: Apache-2.0
// node --conditions=@hot/source test/conformance/run.ts [DIR]: runs every *.jsonl file of a directory.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { comparisons } from "./comparisons.ts";
import { parseCases, type Case } from "./corpus-case.ts";
import { judge, type Verdict } from "./judge.ts";
import { secondLevel } from "./second-level.ts";

const usage = (sentence: string): never => {
  console.error(`hot: ${sentence}\n  usage: pnpm conformance [DIR]`);
  process.exit(2);
};

const args = process.argv.slice(2).filter((one) => one !== "--");
if (args.length > 1) usage("only one directory can be given");
const beside = join(import.meta.dirname, "../../../shared/conformance/open");
const directory = resolve(args[0] ?? (existsSync(beside) ? beside : join(import.meta.dirname, "corpus")));
if (!existsSync(directory) || !statSync(directory).isDirectory()) usage(`${directory} is not a directory`);
const files = readdirSync(directory)
  .filter((name) => name.endsWith(".jsonl"))
  .sort();
if (files.length === 0) usage(`${directory} has no *.jsonl file`);

/** Failed cases whose differences are shown, for each file. */
const MOST_SHOWN = 20;
const total = { passed: 0, failed: 0, skipped: 0 };
for (const file of files) {
  if (comparisons[file] === undefined) {
    console.log(`${file}: not known`);
    continue;
  }
  report(
    file,
    parseCases<Case>(readFileSync(join(directory, file), "utf8")).map((one) => ({ one, verdict: judge(file, one) })),
  );
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;

function report(file: string, judged: { one: Case; verdict: Verdict }[]): void {
  const passed = judged.filter(({ verdict }) => verdict.is === "passed");
  const failed = judged.filter(({ verdict }) => verdict.is === "failed");
  const skipped = judged.filter(({ verdict }) => verdict.is === "skipped");
  const exceptions = skipped.filter(({ one }) => one.quirk === undefined);
  const quirks = skipped.length - exceptions.length;
  console.log(`${file}: ${passed.length} passed, ${failed.length} failed, ${quirks} skipped(quirk)`);
  const ruled = new Map<string, number>();
  for (const { verdict } of skipped) {
    const rule = ("rule" in verdict && verdict.rule) || "not checked";
    ruled.set(rule, (ruled.get(rule) ?? 0) + 1);
  }
  if (exceptions.length > 0)
    console.log(`  ${exceptions.length} more differ on purpose, though they are not marked as quirks`);
  const list = [...ruled].map(([rule, count]) => `${rule} ${count}`).join(", ");
  if (list !== "") console.log(`  what is done instead, see docs/compatibility.md: ${list}`);
  const second = secondLevel(file, judged);
  if (second !== undefined) console.log(`  ${second}`);
  for (const { one, verdict } of failed.slice(0, MOST_SHOWN)) {
    console.log(`  ${one.name}`);
    for (const text of verdict.is === "failed" ? verdict.differences : []) console.log(`    ${text}`);
  }
  if (failed.length > MOST_SHOWN) console.log(`  … and ${failed.length - MOST_SHOWN} more`);
  total.passed += passed.length;
  total.failed += failed.length;
  total.skipped += skipped.length;
}
