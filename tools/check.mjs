// SPDX-License-Identifier: Apache-2.0
// `pnpm check`: every check that needs no test run. All of them run, then the failed ones are named.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const published = readdirSync("packages")
  .map((name) => `packages/${name}`)
  .filter((folder) => !JSON.parse(readFileSync(`${folder}/package.json`, "utf8")).private);

const checks = [
  ["format", ["oxfmt", "--check", "."], "run `pnpm format`"],
  ["lint", ["oxlint", "--type-aware", "--deny-warnings", "."]],
  ["types", ["tsc", "-p", "."]],
  [
    "import direction",
    ["depcruise", "--config", ".dependency-cruiser.mjs", "--output-type", "err", "packages", "apps"],
  ],
  ["docs/errors.md", ["node", "--conditions=@hot/source", "tools/generate-errors.mjs", "--check"]],
  ["charts/hot", ["node", "--conditions=@hot/source", "tools/chart/generate.ts", "--check"], "run `pnpm chart`"],
  ["unused exports and dependencies", ["knip"]],
  ...published.flatMap((folder) => [
    [`publint ${folder}`, ["publint", "--strict", "--pack", "pnpm", folder]],
    [`types as published ${folder}`, ["attw", "--pack", folder, "--profile", "esm-only", "--no-emoji", "-f", "ascii"]],
  ]),
];

const failed = [];
for (const [name, [command, ...args], fix] of checks) {
  const { status, stdout, stderr } = spawnSync("pnpm", ["exec", command, ...args], { encoding: "utf8" });
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name}`);
  if (status === 0) continue;
  failed.push(name);
  console.log((stdout + stderr).trim().replace(/^/gm, "       "));
  if (fix) console.log(`       ${fix}`);
}
if (failed.length > 0) {
  console.log(`\n${failed.length} of ${checks.length} checks failed: ${failed.join(", ")}`);
  process.exit(1);
}
console.log(`\nall ${checks.length} checks passed`);
