// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { HASH_ANNOTATION, type Pod } from "@hot/spec";
import { describe, expect, test } from "vitest";
import { createInjectionIndex } from "../../src/injection-index.ts";
import { projectPod, type PodProjection } from "../../src/plan/pod-projection.ts";
import { createPodIndex } from "../../src/pod-index.ts";
import { injectedPod, sidecarSet } from "../support/builders.ts";
import { largePod, upgradedLargePod } from "../support/large-pod.ts";

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

test.each<[string, (pod: Pod, text: string) => void]>([
  ["annotation", ({ metadata }, text) => (metadata.annotations = { ...metadata.annotations, [HASH_ANNOTATION]: text })],
  ["label", ({ metadata }, text) => (metadata.labels = { ...metadata.labels, text })],
  ["container", ({ spec }, text) => spec.containers[1]?.env?.push({ name: "TEXT", value: text })],
])("what pods that are gone had in common with others is forgotten where its %s was very long", (_, put) => {
  const kept = keptOf(200, (index) => {
    const pod = JSON.parse(largePod(0)) as Pod;
    put(pod, String(index).padStart(4, "0").repeat(25_000));
    // As it is read from the wire: texts share no parts.
    return JSON.parse(JSON.stringify(pod)) as Pod;
  });
  // Less than one text in ten.
  expect(kept).toBeLessThan(200 * 10_000);
});

describe.each([
  ["as it was injected", largePod],
  ["after a hot upgrade, which leaves a record", upgradedLargePod],
])("a pod %s", (_, make) => {
  test("of more than 10 KB takes at most 2.5 KB of the cache, indexes included", () => {
    expect(make(0).length).toBeGreaterThan(10_000);
    const bytes = bytesEach(make);
    // Less would mean that nothing was kept.
    expect(bytes).toBeGreaterThan(500);

    expect(bytes).toBeLessThan(2500);
  }, 30_000);

  test("has the annotations that it had", () => {
    const pod = JSON.parse(make(7)) as Pod;
    const { "prometheus.io/scrape": _other, ...ours } = pod.metadata.annotations ?? {};
    expect(projectPod(pod).annotations).toEqual(ours);
  });
});

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function used(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Bytes that are still held when so many pods have come and gone. */
function keptOf(count: number, make: (index: number) => Pod): number {
  projectPod(make(count));
  const before = used();
  for (let index = 0; index < count; index++) projectPod(make(index));
  return used() - before;
}

/** Of heap and buffers, as a reflector, the indexes and their keys hold it. */
function bytesEach(make: (index: number) => string): number {
  const cache = new Map<string, { object: PodProjection; uid: string; resourceVersion: string }>();
  const pods = { get: (key: string) => cache.get(key)?.object };
  const index = createPodIndex();
  const namespaces = (): Record<string, string> => ({});
  const injection = createInjectionIndex({ pods, namespaces, isInjectable: () => true, sidecarSets: [] });
  const add = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      const object = projectPod(JSON.parse(make(i)) as Pod);
      const key = `${object.namespace}/${object.name}`;
      cache.set(key, { object, uid: object.uid, resourceVersion: object.resourceVersion });
      index.update(key, object);
      injection.pod(key, object);
    }
  };
  add(0, 500);
  const before = used();
  add(500, 2500);
  const bytes = (used() - before) / 2000;
  expect(cache.size).toBe(2500);
  return bytes;
}
