// SPDX-License-Identifier: Apache-2.0
import type { Pod } from "@hot/spec";
import { expect, test } from "vitest";
import { injectPod, prepareSidecarSets } from "../src/index.ts";
import { curiousSidecarSets, hostilePods } from "./hostile-pods.ts";
import { NOW } from "./pod-builder.ts";

const GROWTH = 8;
/** 2.5 for each of three doublings: linear work with sorting stays below, quadratic work needs 64. */
const LIMIT = 2.5 ** 3;
/** Microseconds; less than this is the clock's and the compiler's noise. */
const LEAST = 1000;

const sidecarSets = prepareSidecarSets(curiousSidecarSets);

/** The code of the denial, or the patch as text. */
function answer(pod: Pod): string {
  const { patch, report } = injectPod({ pod, namespace: { name: "shop" }, sidecarSets, now: NOW });
  return report.denied?.code ?? JSON.stringify(patch);
}

/** Processor time of the fastest of several runs, which the machine's other work disturbs least. */
function cost(pod: Pod): number {
  const runs = Array.from({ length: 7 }, () => {
    const before = process.cpuUsage();
    answer(pod);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  });
  return Math.max(LEAST, Math.min(...runs));
}

/** How the answer starts, where it is not an operation. */
const ANSWERS: Record<string, string> = {
  "injected before, bloated since": "[]",
  "80,000 containers": "HOT2111",
  "one subPathExpr with many variables": "HOT2111",
  "3 MB of annotations": "HOT2111",
  "a mount nested deeply": "HOT2111",
};

test.each(Object.entries(hostilePods))("%s: the work grows as the input does", (name, { size, make }) => {
  const [small, large] = [make(size / GROWTH), make(size)];
  expect(answer(large).slice(0, 7)).toBe(ANSWERS[name] ?? '[{"op":');
  expect(cost(large) / cost(small)).toBeLessThan(LIMIT);
});
