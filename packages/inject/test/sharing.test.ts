// SPDX-License-Identifier: Apache-2.0
import type { Pod, SidecarContainer, SidecarSet } from "@hot/spec";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { applyPatch, diff, injectPod, prepareSidecarSets } from "../src/index.ts";
import { aContainer, aHotContainer, aPod, aSidecarSet, NOW } from "./pod-builder.ts";

/** From here on, whoever writes into the value or a part of it gets a TypeError. */
function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

const sharing = {
  shareVolumePolicy: { type: "enabled" as const },
  shareVolumeDevicePolicy: { type: "enabled" as const },
  transferEnv: [{ sourceContainerName: "web", envNames: ["A", "B"] }],
} satisfies Partial<SidecarContainer>;
const policy = (cpu: string) => ({
  targetContainersMode: "sum" as const,
  targetContainersNameRegex: ".*",
  resourcesExpr: { requests: { cpu } },
});
const sidecarSets: SidecarSet[] = [
  aSidecarSet("cold", [{ ...aContainer("cold"), ...sharing, volumeMounts: [{ name: "v", mountPath: "/v" }] }], {
    initContainers: [{ ...aContainer("setup"), ...sharing }],
    volumes: [{ name: "v", emptyDir: {} }],
    imagePullSecrets: [{ name: "pull" }],
    patchPodMetadata: [{ annotations: { note: '{"a":1}' }, patchPolicy: "MergePatchJson" }],
  }),
  aSidecarSet("hot", [aHotContainer("hot", { ...sharing, env: [{ name: "OWN", value: "1" }] })]),
  aSidecarSet("native", [], { initContainers: [aHotContainer("native", { restartPolicy: "Always" })] }),
  aSidecarSet("front", [{ ...aContainer("front"), podInjectPolicy: "BeforeAppContainer" }]),
  aSidecarSet("sized", [{ ...aContainer("sized"), resourcesPolicy: policy("max(cpu, 50m)") }]),
];

const env = fc.uniqueArray(fc.record({ name: fc.constantFrom("A", "B", "IS_INJECTED"), value: fc.constant("x") }), {
  selector: ({ name }) => name,
});
const mount = fc.record(
  {
    name: fc.constantFrom("v", "data"),
    mountPath: fc.constantFrom("/v", "/data", "/logs"),
    subPathExpr: fc.constant("$(A)/$(B)"),
  },
  { requiredKeys: ["name", "mountPath"] },
);
const container = fc.record(
  {
    name: fc.constantFrom("web", "db", "job"),
    image: fc.constant("app:1"),
    env,
    volumeMounts: fc.array(mount, { maxLength: 3 }),
    volumeDevices: fc.array(fc.record({ name: fc.constant("disk"), devicePath: fc.constantFrom("/dev/a", "/v") })),
    resources: fc.record({ requests: fc.record({ cpu: fc.constantFrom("100m", "2") }) }),
  },
  { requiredKeys: ["name", "image"] },
);
const pods: fc.Arbitrary<Pod> = fc
  .record(
    {
      containers: fc.uniqueArray(container, { minLength: 1, selector: ({ name }) => name }),
      initContainers: fc.constant("first").map((name) => [aContainer(name)]),
      volumes: fc.subarray([{ name: "v", hostPath: { path: "/v" } }, { name: "data" }]),
      imagePullSecrets: fc.subarray([{ name: "pull" }, { name: "own" }]),
    },
    { requiredKeys: ["containers"] },
  )
  .chain((spec) =>
    fc
      .option(fc.dictionary(fc.constantFrom("note", "other"), fc.constantFrom("", "{}", '{"b":2}')), { nil: undefined })
      .map((annotations) => aPod(spec, annotations)),
  );
const chosen = fc.shuffledSubarray(sidecarSets, { minLength: 1 });
const input = { namespace: { name: "shop" }, now: NOW };

test("property: the patch, applied to the pod as it was sent, gives the injected pod", () => {
  fc.assert(
    fc.property(pods, chosen, (pod, list) => {
      const result = injectPod({ ...input, pod, sidecarSets: list });
      expect(result.report.denied).toBeUndefined();
      const sent = JSON.parse(JSON.stringify({ pod, patch: result.patch })) as Pick<typeof result, "pod" | "patch">;
      expect(applyPatch(sent.pod, sent.patch)).toEqual(result.pod);
    }),
    { numRuns: 2000, seed: 5 },
  );
});

test("property: injecting twice equals injecting once", () => {
  fc.assert(
    fc.property(pods, chosen, (pod, list) => {
      const once = injectPod({ ...input, pod, sidecarSets: list }).pod;
      const again = injectPod({ ...input, pod: once, sidecarSets: list.toReversed(), now: "2026-02-02T03:04:05Z" });
      expect(again.patch).toEqual([]);
      expect(again.pod).toEqual(once);
    }),
    { numRuns: 2000, seed: 5 },
  );
});

test("property: a container that was not injected is the same object as before", () => {
  fc.assert(
    fc.property(pods, chosen, (pod, list) => {
      const { containers } = injectPod({ ...input, pod, sidecarSets: list }).pod.spec;
      expect(containers.filter((one) => pod.spec.containers.includes(one))).toEqual(pod.spec.containers);
    }),
    { numRuns: 1000, seed: 5 },
  );
});

test("property: neither injection nor applyPatch writes into pod, SidecarSets or patch, whose parts results share", () => {
  const list = frozen(structuredClone(sidecarSets));
  const index = prepareSidecarSets(list);
  fc.assert(
    fc.property(pods, (pod) => {
      const first = injectPod({ ...input, pod: frozen(pod), sidecarSets: index });
      const applied = applyPatch(pod, frozen(first.patch));
      expect(applied).toEqual(frozen(first.pod));
      const second = injectPod({ ...input, pod: frozen(applied), sidecarSets: index });
      expect(second.patch).toEqual([]);
      applyPatch(applied, frozen(diff(applied, pod)));
    }),
    { numRuns: 1000, seed: 5 },
  );
});

test("an operation inside an added value changes the result, not the operation that added it", () => {
  const operations = frozen([
    { op: "add" as const, path: "/a", value: { list: [1] } },
    { op: "add" as const, path: "/a/list/-", value: 2 },
    { op: "move" as const, from: "/a", path: "/b" },
    { op: "remove" as const, path: "/b/list/0" },
  ]);
  expect(applyPatch(frozen({ other: { x: 1 } }), operations)).toEqual({ other: { x: 1 }, b: { list: [2] } });
});

test("what one pod gets does not depend on the pods before it", () => {
  const texts = (order: Pod[]): string[] =>
    order.map((pod) => JSON.stringify(injectPod({ ...input, pod, sidecarSets }).patch));
  const some = fc.sample(pods, { numRuns: 50, seed: 6 });
  expect(texts(some.toReversed()).reverse()).toEqual(texts(some));
});
