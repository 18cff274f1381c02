// SPDX-License-Identifier: Apache-2.0
// node --conditions=@hot/source test/conformance/run.ts [DIR]: runs every *.jsonl file of a directory.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { firstDifferences } from "./differences.ts";
import { comparisons, deliberate, isUnjudged, type Compared } from "./comparisons.ts";
import { strictFiles } from "../../packages/spec/test/corpus/checks.ts";

interface Line {
  name: string;
  quirk?: string;
}

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

const total = { passed: 0, failed: 0, skipped: 0 };
for (const file of files) {
  const compare = comparisons[file];
  if (compare === undefined) {
    console.log(`${file}: not known`);
    continue;
  }
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const messages: string[] = [];
  let onPurpose = 0;
  let unjudged = 0;
  for (const line of readFileSync(join(directory, file), "utf8").split("\n")) {
    if (line.trim() === "") continue;
    const one = JSON.parse(line) as Line;
    const differences = judge(() => compare(one as never));
    if (differences.length === 0) counts.passed++;
    else if (one.quirk !== undefined && !strictFiles.has(file)) counts.skipped++;
    else if (file === "hot-upgrade.jsonl" && Object.hasOwn(deliberate, one.name)) onPurpose++;
    else if (isUnjudged(file, one.name)) unjudged++;
    else {
      counts.failed++;
      messages.push(`  ${one.name}`, ...differences.map((text) => `    ${text}`));
    }
  }
  console.log(`${file}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped(quirk)`);
  if (onPurpose + unjudged > 0) {
    console.log(`  also skipped: ${onPurpose} differ on purpose, ${unjudged} random states differ and are not judged`);
  }
  for (const message of messages) console.log(message);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped + onPurpose + unjudged;
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;

function judge(compare: () => Compared): string[] {
  try {
    const compared = compare();
    return typeof compared === "string"
      ? [compared]
      : compared
        ? firstDifferences(compared.actual, compared.wanted)
        : [];
  } catch (error) {
    return [`threw ${String(error)}`];
  }
}
