// SPDX-License-Identifier: Apache-2.0
// pnpm golden [--update] [CASE…]: says which golden cases differ; with --update writes down what comes out instead.
import { spawnSync } from "node:child_process";
import { Console } from "node:console";
import { accept, caseNames, isAsExpected } from "./cases.ts";

const FOLDER = import.meta.dirname;
const out = new Console(process.stdout, process.stderr);
const args = process.argv.slice(2).filter((one) => one !== "--");
const update = args.includes("--update");
const wanted = args.filter((one) => one !== "--update");
const all = caseNames(FOLDER);
const unknown = wanted.filter((one) => !all.includes(one));
if (unknown.length > 0) {
  out.error(
    `hot: no golden case ${unknown.join(", ")}\n  usage: pnpm golden [--update] [CASE…]\n  cases: ${all.join(", ")}`,
  );
  process.exit(2);
}

const written: string[] = [];
for (const name of wanted.length > 0 ? wanted : all) {
  const same = isAsExpected(FOLDER, name);
  if (!same && update) written.push(accept(FOLDER, name));
  out.log(`${name}: ${same ? "as expected" : update ? "written, read the diff" : "differs"}`);
  if (!same && !update) process.exitCode = 1;
}
if (written.length > 0) spawnSync("oxfmt", written, { stdio: "inherit" });
