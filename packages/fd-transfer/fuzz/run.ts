// SPDX-License-Identifier: Apache-2.0
// Feeds hostile bytes to everything that reads them, and prints how many inputs each part has survived.
//
//   pnpm --filter @hot/fd-transfer fuzz --runs 1000000 [--only codec|control|messages] [--seed N]
//
// What libFuzzer finds worth keeping is in build/fuzz/corpus-*, what breaks a claim in build/fuzz/crash-*.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { fuzzCodec } from "./codec.ts";
import { buildHarness, HARNESSES, type Harness, seedsOf } from "./harness.ts";

const folder = fileURLToPath(new URL("../build/fuzz", import.meta.url));
const { values } = parseArgs({
  options: { runs: { type: "string" }, only: { type: "string" }, seed: { type: "string", default: "1" } },
});
const runs = Number(values.runs ?? Number.NaN);
const seed = Number(values.seed);
const parts = ["codec", ...HARNESSES];
if (!Number.isSafeInteger(runs) || runs < 1 || (values.only !== undefined && !parts.includes(values.only))) {
  process.stderr.write(`usage: fuzz --runs N [--only ${parts.join("|")}] [--seed N]\n`);
  process.exit(2);
}

function fuzzNative(harness: Harness): string {
  const program = buildHarness(harness, "libfuzzer", folder);
  const corpus = join(folder, `corpus-${harness}`);
  mkdirSync(corpus, { recursive: true });
  const seeds = fileURLToPath(new URL(`seeds/${harness}`, import.meta.url));
  const options = [
    `-runs=${runs}`,
    `-seed=${seed}`,
    "-max_len=1024",
    "-print_final_stats=1",
    `-artifact_prefix=${folder}/`,
  ];
  const { status, stderr } = spawnSync(program, [...options, corpus, seeds], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: { ...process.env, ASAN_OPTIONS: "quarantine_size_mb=16" },
  });
  if (status !== 0) throw new Error(`${harness}: a claim was broken\n${stderr.slice(-8000)}`);
  const executed = /number_of_executed_units: (\d+)/.exec(stderr)?.[1];
  const coverage = [...stderr.matchAll(/cov: (\d+)/g)].at(-1)?.[1];
  return `${Number(executed).toLocaleString("en")} inputs, ${coverage} edges, from ${seedsOf(harness).length} seeds`;
}

function fuzz(part: string): string {
  const harness = HARNESSES.find((one) => one === part);
  if (harness !== undefined) return fuzzNative(harness);
  const count = fuzzCodec(runs, seed);
  return `${count.runs.toLocaleString("en")} inputs, ${count.decoded.toLocaleString("en")} of them messages`;
}

for (const part of parts.filter((one) => values.only === undefined || one === values.only)) {
  const begun = performance.now();
  const line = fuzz(part);
  process.stdout.write(`${part.padEnd(9)} ${line}, ${Math.round((performance.now() - begun) / 1000)} s\n`);
}
