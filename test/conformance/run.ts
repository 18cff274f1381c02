// SPDX-License-Identifier: Apache-2.0
// node --conditions=@hot/source test/conformance/run.ts [DIR]: runs every *.jsonl file of a directory.
import { createReadStream, existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { comparisons } from "./comparisons.ts";
import { Tally } from "./tally.ts";

const usage = (sentence: string): never => {
  console.error(`hot: ${sentence}\n  usage: pnpm conformance [DIR]`);
  process.exit(2);
};

const args = process.argv.slice(2).filter((one) => one !== "--");
if (args.length > 1) usage("only one directory can be given");
const beside = join(import.meta.dirname, "../../../shared/conformance/open");
const directory = resolve(args[0] ?? (existsSync(beside) ? beside : join(import.meta.dirname, "corpus")));
if (!existsSync(directory)) usage(`${directory} does not exist`);
if (!statSync(directory).isDirectory()) usage(`${directory} is not a directory`);
const files = readdirSync(directory)
  .filter((name) => name.endsWith(".jsonl"))
  .sort();
if (files.length === 0) usage(`${directory} has no *.jsonl file`);

/** Only "\n" ends a line: the other separators that node:readline knows may stand in a JSON string. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of createReadStream(path, "utf8") as AsyncIterable<string>) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  yield rest;
}

const total = { passed: 0, failed: 0, skipped: 0 };
let unknown = 0;
for (const file of files) {
  if (comparisons[file] === undefined) {
    unknown++;
    console.log(`${file}: not known, so nothing of it was checked; known are ${Object.keys(comparisons).join(", ")}`);
    continue;
  }
  const tally = new Tally(file);
  let number = 0;
  for await (const line of linesOf(join(directory, file))) tally.add(line, ++number);
  for (const line of tally.report()) console.log(line);
  total.passed += tally.passed;
  total.failed += tally.failed;
  total.skipped += tally.skipped;
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed + unknown > 0 ? 1 : 0;
