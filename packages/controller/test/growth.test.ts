// SPDX-License-Identifier: Apache-2.0
import {
  HASH_ANNOTATION,
  INJECTED_LIST_ANNOTATION,
  RECORD_ANNOTATION_PREFIX,
  VERSION_ANNOTATION_PREFIX,
  type Pod,
} from "@hot/spec";
import { expect, test } from "vitest";
import { createRecall } from "../src/plan/recall.ts";
import { projectPod } from "../src/plan/pod-projection.ts";
import { createPodIndex } from "../src/pod-index.ts";
import { injectedPod, sidecarSet, T0 } from "./support/builders.ts";

/** Characters of annotations that the API server lets a pod have. */
const SIZE = 240_000;
const GROWTH = 8;
/** Half way, on a logarithmic scale, between work that grows as the input does and work that grows as its square. */
const LIMIT = GROWTH ** 1.5;
/** Microseconds; less than this is the clock's and the compiler's noise. */
const LEAST = 2000;

const v2 = sidecarSet({ image: "x:2" });

function times(size: number, make: (index: number) => string): string {
  let text = "";
  for (let at = 0; text.length < size; at++) text += make(at);
  return text;
}

function records(size: number): Record<string, string> {
  const all: Record<string, string> = {};
  for (let at = 0; at * 250 < size; at++) {
    const texts = { to: "x:2", from: "x:1", empty: "e:1", prevHash: "", containerID: "", imageID: "", deadlineAt: "" };
    const record = { ...texts, generation: 1, minReady: 0, onFailure: "Abort", sidecarSet: `s${at}`, phase: "upgrade" };
    all[`${RECORD_ANNOTATION_PREFIX}c${at}`] = JSON.stringify(record);
  }
  return all;
}

/** What whoever may create a pod can write into its annotations, so large. */
const ANNOTATIONS: Record<string, (size: number) => Record<string, string>> = {
  "letters without an end": (size) => ({ [HASH_ANNOTATION]: "a".repeat(size) }),
  "times, each another one": (size) => ({
    [HASH_ANNOTATION]: times(size, (at) => new Date(at * 1000).toISOString().replace(".000", "")),
  }),
  "names of SidecarSets that are not there": (size) => ({
    [INJECTED_LIST_ANNOTATION]: `mesh${times(size, (at) => `,s${at}`)}`,
  }),
  "records of SidecarSets that are not there": records,
  "hash entries of others": (size) => ({
    [HASH_ANNOTATION]: `{"mesh":{"hash":"x"}${times(size, (at) => `,"s${at}":{"hash":"x","sidecarList":["x"]}`)}}`,
  }),
  "a version of digits": (size) => ({ [`${VERSION_ANNOTATION_PREFIX}x-1`]: "9".repeat(size) }),
};

function podWith(annotations: Record<string, string>): Pod {
  const { metadata, ...rest } = injectedPod(sidecarSet({ image: "x:1" }));
  return { ...rest, metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } } };
}

/** All that an event of a pod makes a controller do, but for writes. */
function answer(pod: Pod): string[] {
  const index = createPodIndex();
  index.update("ns1/web-0", projectPod(pod));
  const names = index.update("ns1/web-0", projectPod(pod));
  for (const name of names) {
    createRecall().plan({
      name,
      ...(name === "mesh" && { sidecarSet: v2 }),
      live: false,
      pods: index.podsOf(name),
      namespaces: () => ({}),
      pending: new Map(),
      receipts: new Map(),
      now: T0,
    });
  }
  return [...names];
}

/** Processor time of one answer, in microseconds. */
function cost(pod: Pod): number {
  const before = process.cpuUsage();
  answer(pod);
  const { user, system } = process.cpuUsage(before);
  return Math.max(LEAST, user + system);
}

/** Of the fastest of many runs in turn. It ends early once the answer is clear, which slow work never makes it. */
function growth(small: Pod, large: Pod): number {
  let [least, most] = [Infinity, Infinity];
  for (let run = 0; run < 30 && (run < 3 || most / least >= LIMIT); run++) {
    least = Math.min(least, cost(small));
    most = Math.min(most, cost(large));
    // Nobody waits for the thirtieth.
    if (most > 5_000_000) break;
  }
  return most / least;
}

test.each(Object.entries(ANNOTATIONS))("%s: the work grows as the annotations do", (_, make) => {
  const [small, large] = [podWith(make(SIZE / GROWTH)), podWith(make(SIZE))];
  expect(answer(small)).toContain("mesh");
  expect(growth(small, large)).toBeLessThan(LIMIT);
});
