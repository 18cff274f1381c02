// SPDX-License-Identifier: Apache-2.0
import type { Pod } from "@hot/spec";
import { expect, test } from "vitest";
import { injectPod, prepareSidecarSets } from "../src/index.ts";
import { curiousSidecarSets, hostilePods } from "./hostile-pods.ts";
import { NOW } from "./pod-builder.ts";

const GROWTH = 8;
/** Half way, on a logarithmic scale, between work that grows as the input does and work that grows as its square. */
const LIMIT = GROWTH ** 1.5;
/** Microseconds; less than this is the clock's and the compiler's noise. */
const LEAST = 1000;

const sidecarSets = prepareSidecarSets(curiousSidecarSets);

/** The code of the denial, or the patch as text. */
function answer(pod: Pod): string {
  const { patch, report } = injectPod({ pod, namespace: { name: "shop" }, sidecarSets, now: NOW });
  return report.denied?.code ?? JSON.stringify(patch);
}

/** Processor time of one answer, in microseconds. */
function cost(pod: Pod): number {
  const before = process.cpuUsage();
  answer(pod);
  const { user, system } = process.cpuUsage(before);
  return Math.max(LEAST, user + system);
}

/**
 * How many times the work of `small` `large` takes, of the fastest of many runs in turn: collections of garbage and the
 * machine's other work only ever add. It ends early once the answer is clear, which slow work never makes it.
 */
function growth(small: Pod, large: Pod): number {
  let [least, most] = [Infinity, Infinity];
  for (let run = 0; run < 30 && (run < 3 || most / least >= LIMIT); run++) {
    least = Math.min(least, cost(small));
    most = Math.min(most, cost(large));
  }
  return most / least;
}

/** How the answer starts, where it is not an operation. */
const ANSWERS: Record<string, string> = {
  "injected before, bloated since": "[]",
  "80,000 containers": "HOT2111",
  "30,000 mounts": "HOT2111",
  "one subPathExpr with many variables": "HOT2111",
  "3 MB of annotations": "HOT2111",
  "3 MB of labels": "HOT2111",
  "JSON nested deeply that is merged": "HOT2106",
  "a mount nested deeply": "HOT2111",
};

test.each(Object.entries(hostilePods))("%s: the work grows as the input does", (name, { size, make }) => {
  const [small, large] = [make(size / GROWTH), make(size)];
  expect(answer(large).slice(0, 7)).toBe(ANSWERS[name] ?? '[{"op":');
  expect(growth(small, large)).toBeLessThan(LIMIT);
});
