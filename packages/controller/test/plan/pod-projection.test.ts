// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Pod } from "@hot/spec";
import { expect, test } from "vitest";
import { createInjectionIndex } from "../../src/injection-index.ts";
import { projectPod, type PodProjection } from "../../src/plan/pod-projection.ts";
import { createPodIndex } from "../../src/pod-index.ts";
import { injectedPod, sidecarSet } from "../support/builders.ts";
import { largePod } from "../support/large-pod.ts";

const pod = injectedPod(sidecarSet());
const { annotations: _, ...plain } = pod.metadata;

test("a pod without any injection keeps its labels, by which it may be found to lack one, and no containers", () => {
  const projected = projectPod({ ...pod, metadata: plain });
  expect(projected).toMatchObject({ labels: { app: "web" }, annotations: {}, containers: [], phase: "Running" });
  expect(projected.mirror).toBeUndefined();
  const mirror = { ...plain, annotations: { "kubernetes.io/config.mirror": "hash" } };
  expect(projectPod({ ...pod, metadata: mirror }).mirror).toBe(true);
});

test("pods of one template share what they have in common", () => {
  const [a, b] = [1, 2].map((index) => projectPod(JSON.parse(largePod(index)) as Pod));
  expect(a?.labels).toBe(b?.labels);
  expect(a?.containers[1]?.prints?.length).toBeGreaterThan(40);
  expect(a?.containers[1]?.prints).toBe(b?.containers[1]?.prints);
});

test("a pod of more than 10 KB takes at most 2.5 KB of the cache, indexes included", () => {
  expect(largePod(0).length).toBeGreaterThan(10_000);
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const used = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const cache = new Map<string, PodProjection>();
  const index = createPodIndex(cache);
  const namespaces = (): Record<string, string> => ({});
  const injection = createInjectionIndex({ pods: cache, namespaces, isInjectable: () => true, sidecarSets: [] });
  const add = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      const projected = projectPod(JSON.parse(largePod(i)) as Pod);
      const key = `${projected.namespace}/${projected.name}`;
      cache.set(key, projected);
      index.update(key, projected);
      injection.pod(key, projected);
    }
  };
  add(0, 500);
  const before = used();
  add(500, 2500);
  const bytes = (used() - before) / 2000;
  expect(cache.size).toBe(2500);
  // Less would mean that nothing was kept.
  expect(bytes).toBeGreaterThan(500);
  expect(bytes).toBeLessThan(2500);
}, 30_000);
