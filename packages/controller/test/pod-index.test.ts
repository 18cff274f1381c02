// SPDX-License-Identifier: Apache-2.0
import { INJECTED_LIST_ANNOTATION } from "@hot/spec";
import { expect, test } from "vitest";
import { projectPod, type PodProjection } from "../src/plan/pod-projection.ts";
import { createPodIndex } from "../src/pod-index.ts";
import { injectedPod, sidecarSet } from "./support/builders.ts";

const SETS = ["a", "b", "c"];
const pod = injectedPod(sidecarSet());

/** Injected by those SidecarSets whose bit is set. */
function projected(name: string, version: number, sets: number): PodProjection {
  const injected = SETS.filter((_, bit) => (sets >> bit) & 1).join(",");
  const annotations = { ...pod.metadata.annotations, [INJECTED_LIST_ANNOTATION]: injected };
  return projectPod({ ...pod, metadata: { ...pod.metadata, name, resourceVersion: String(version), annotations } });
}

/** Numbers below `limit`, the same in every run. */
function numbers(): (limit: number) => number {
  let state = 1;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % limit;
  };
}

test("whatever comes, changes and goes, a SidecarSet has the pods that it has injected, each as it is now, in order", () => {
  const index = createPodIndex();
  const all = new Map<string, { sets: number; pod: PodProjection }>();
  const below = numbers();
  for (let step = 1; step <= 3_000; step++) {
    const key = `team/web-${below(40)}`;
    const before = all.get(key);
    const sets = below(4) === 0 ? 0 : below(3) === 0 ? below(8) : (before?.sets ?? below(8));
    const now = sets === 0 && below(2) === 0 ? undefined : projected(key.slice(5), step, sets);
    if (now === undefined) all.delete(key);
    else all.set(key, { sets, pod: now });
    const told = index.update(key, now);

    const after = now === undefined ? 0 : sets;
    const concerned = SETS.filter((_, bit) => (((before?.sets ?? 0) | after) >> bit) & 1);
    expect([...told].sort()).toEqual(concerned);
    for (const [bit, name] of SETS.entries()) {
      expect(index.podOf(name, key)).toBe((after >> bit) & 1 ? now : undefined);
    }
    if (below(3) > 0) continue;
    for (const [bit, name] of SETS.entries()) {
      const expected = [...all].filter(([, one]) => (one.sets >> bit) & 1).sort(([a], [b]) => (a < b ? -1 : 1));
      const found = index.podsOf(name);
      expect(found.length).toBe(expected.length);
      for (const [at, [key, one]] of expected.entries()) {
        expect(found[at]).toBe(one.pod);
        expect(index.podOf(name, key)).toBe(one.pod);
      }
    }
  }
});

test("a list is no copy: it shows what has changed, and is another one where a pod has come", () => {
  const index = createPodIndex();
  const [first, second, third] = [1, 2, 3].map((version) => projected("web-0", version, 1));
  index.update("team/web-0", first);
  const list = index.podsOf("a");
  index.update("team/web-0", second);
  expect(index.podsOf("a")).toBe(list);
  expect(list).toEqual([second]);
  index.update("team/web-1", third);
  expect(index.podsOf("a")).toEqual([second, third]);
  expect(list).toEqual([second]);
});

test("which places of a list were replaced is known as long as it is the same list", () => {
  const index = createPodIndex();
  for (const name of ["web-0", "web-1", "web-2"]) index.update(`team/${name}`, projected(name, 1, 1));
  index.podsOf("a");
  const changes = index.changesOf("a");
  const mark = changes?.mark ?? Number.NaN;
  expect(changes?.since(mark)).toEqual(new Set());
  index.update("team/web-2", projected("web-2", 2, 1));
  index.update("team/web-0", projected("web-0", 2, 1));
  expect(changes?.since(mark)).toEqual(new Set([2, 0]));
  expect(changes?.since(mark + 1)).toEqual(new Set([0]));
  index.update("team/web-3", projected("web-3", 1, 1));
  index.podsOf("a");
  expect(changes?.since(mark)).toBeUndefined();
  for (let version = 3; version < 10_000; version++) index.update("team/web-0", projected("web-0", version, 1));
  expect(changes?.since(changes.mark - 1)).toEqual(new Set([0]));
  expect(changes?.since(changes.mark - 9_990)).toBeUndefined();
});

test("names by the ten thousands concern nobody: more than a hundred SidecarSets are injected into no pod", () => {
  const { metadata, ...rest } = pod;
  const list = Array.from({ length: 10_000 }, (_, at) => `s${at}`).join(",");
  const annotations = { ...metadata.annotations, [INJECTED_LIST_ANNOTATION]: list };
  const told = createPodIndex().update("team/web-0", projectPod({ ...rest, metadata: { ...metadata, annotations } }));
  expect(told).toEqual(Array.from({ length: 100 }, (_, at) => `s${at}`));
});
