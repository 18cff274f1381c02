// SPDX-License-Identifier: Apache-2.0
// pnpm simulate --seeds 2000 [--from 1]      runs many seeds
// pnpm simulate --seed 42 --trace            runs one, and says what happens
import { parseArgs } from "node:util";
import { simulate } from "./simulate.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
  },
});

const first = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const startedAt = performance.now();
let failures = 0;
for (let seed = first; seed < first + count; seed++) {
  const { violation, trace } = await simulate(seed, values.trace);
  if (values.trace) console.log(trace?.join("\n"));
  if (violation === undefined) continue;
  failures++;
  if (failures > 10) continue;
  console.log(`seed ${seed}: ${violation}\n  pnpm simulate --seed ${seed} --trace`);
}
const seconds = (performance.now() - startedAt) / 1000;
console.log(`${count} seeds, ${failures} failures, ${seconds.toFixed(1)} s, ${(count / seconds).toFixed(1)} seeds/s`);
process.exitCode = failures === 0 ? 0 : 1;
