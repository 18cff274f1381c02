// SPDX-License-Identifier: Apache-2.0
// pnpm simulate --seeds 2000 [--from 1]      runs many seeds
// pnpm simulate --seeds 100000 --minutes 20  runs as many as there is time for
// pnpm simulate --seeds 5000 --only policy   only seeds with a policy that refuses writes, or with a webhook (mirror)
// pnpm simulate --seed 42 --trace            runs one, and says what happens
// pnpm simulate --seeds 200 --bug NAME       the same with a known bug, to see that it is found
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { admissionOf } from "./admission.ts";
import { simulateMany } from "./many.ts";
import { plant } from "./plant.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    bug: { type: "string" },
    only: { type: "string" },
    minutes: { type: "string" },
    workers: { type: "string", default: String(availableParallelism()) },
  },
});
const { seed, bug, only } = values;
const again = bug === undefined ? "" : ` --bug ${JSON.stringify(bug)}`;

if (seed === undefined) {
  const startedAt = performance.now();
  const { seeds, steps, writes, failures } = await simulateMany({
    from: Number(values.from),
    count: Number(values.seeds),
    workers: Number(values.workers),
    ...(only !== undefined && { where: (one: number) => only in admissionOf(one) }),
    ...(bug !== undefined && { bug, stopAtFirst: true }),
    ...(values.minutes !== undefined && {
      isLate: () => performance.now() - startedAt > Number(values.minutes) * 60_000,
    }),
    onOutcome: ({ seed, violation }) => {
      if (violation !== undefined)
        console.log(`seed ${seed}: ${violation}\n  pnpm simulate --seed ${seed} --trace${again}`);
    },
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage();
  console.log(
    `${seeds} seeds, ${steps} steps, ${writes} writes of pods, ${failures.length} failures; ` +
      `${seconds.toFixed(1)} s, ${(seeds / seconds).toFixed(1)} seeds/s, ${((user + system) / 1000 / seeds).toFixed(1)} ms of CPU each`,
  );
  process.exitCode = failures.length === 0 ? 0 : 1;
} else {
  if (bug !== undefined) plant(bug);
  const { simulate } = await import("./simulate.ts");
  const { violation, trace } = await simulate(Number(seed), values.trace);
  if (trace !== undefined) console.log(trace.join("\n"));
  console.log(violation ?? "no invariant is broken");
  process.exitCode = violation === undefined ? 0 : 1;
}
