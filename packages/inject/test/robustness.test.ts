// SPDX-License-Identifier: Apache-2.0
import type { Pod, SidecarSet } from "@hot/spec";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyPatch, injectPod } from "../src/index.ts";
import { aContainer, aHotContainer, aPod, aSidecarSet, NOW } from "./pod-builder.ts";

const volumes = [{ name: "shared", emptyDir: {} }];
const sidecarSets: SidecarSet[] = [
  aSidecarSet(
    "cold",
    [
      {
        ...aContainer("cold"),
        shareVolumePolicy: { type: "enabled" },
        shareVolumeDevicePolicy: { type: "enabled" },
        transferEnv: [{ sourceContainerName: "main", envNames: ["A", "B"] }],
        volumeMounts: [{ name: "shared", mountPath: "/shared" }],
      },
    ],
    {
      volumes,
      imagePullSecrets: [{ name: "pull" }],
      patchPodMetadata: [{ annotations: { a: '{"b":1}' }, patchPolicy: "MergePatchJson" }],
    },
  ),
  aSidecarSet("hot", [aHotContainer("hot")]),
  aSidecarSet("sized", [
    {
      ...aContainer("sized"),
      resourcesPolicy: {
        targetContainersMode: "sum",
        targetContainersNameRegex: "",
        resourcesExpr: { requests: { cpu: "cpu" } },
      },
    },
  ]),
];
const inject = (pod: unknown) => injectPod({ pod: pod as Pod, namespace: { name: "shop" }, sidecarSets, now: NOW });

/** The result, or a denial with a code; never an exception. */
function judge(pod: unknown): void {
  const before = JSON.stringify(pod);
  const { patch, report } = inject(pod);
  expect(JSON.stringify(pod)).toBe(before);
  if (report.denied) expect(report.denied.code).toMatch(/^HOT21\d\d$/);
  else expect(() => applyPatch(pod, patch)).not.toThrow();
}

const LABELS = { app: "web" };
const json = fc.jsonValue({ maxDepth: 3 });
/** Mostly right, with a wrong value at any place. */
const shaky = <T>(right: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof<fc.MaybeWeightedArbitrary<unknown>[]>({ arbitrary: right, weight: 9 }, { arbitrary: json, weight: 1 });
const named = (more: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
  shaky(
    fc.record(
      { name: shaky(fc.constantFrom("main", "cold", "hot-1", "__proto__", "")), ...more },
      { requiredKeys: [] },
    ),
  );
const list = (of: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => shaky(fc.array(of, { maxLength: 3 }));
const container = named({
  image: shaky(fc.string()),
  env: list(named({ value: shaky(fc.constantFrom("true", "x")) })),
  volumeMounts: list(
    named({ mountPath: shaky(fc.constantFrom("/a", "/shared")), subPathExpr: shaky(fc.constant("$(A)")) }),
  ),
  volumeDevices: list(named({ devicePath: shaky(fc.constant("/dev/x")) })),
  resources: shaky(fc.record({ requests: shaky(fc.record({ cpu: shaky(fc.constantFrom("1", "1e999999999")) })) })),
  restartPolicy: shaky(fc.constant("Always")),
});
const annotations = fc.dictionary(
  fc.constantFrom(
    "a",
    "kruise.io/sidecarset-hash",
    "kruise.io/sidecarset-injected-list",
    "kruise.io/sidecarset-working-hotupgrade-container",
    "__proto__",
  ),
  shaky(fc.constantFrom("", "{}", "null", "[]", '{"hot":{}}', '{"__proto__":1}', '{"hot":"x"}')),
);
const pod = shaky(
  fc.record(
    {
      metadata: shaky(
        fc.record(
          { labels: shaky(fc.constant(LABELS)), annotations: shaky(annotations) },
          { requiredKeys: ["labels"] },
        ),
      ),
      spec: shaky(
        fc.record(
          {
            containers: list(container),
            initContainers: list(container),
            volumes: list(named({})),
            imagePullSecrets: list(named({})),
          },
          { requiredKeys: ["containers"] },
        ),
      ),
      status: shaky(fc.record({ phase: shaky(fc.constantFrom("Pending", "Failed")) })),
    },
    { requiredKeys: ["metadata", "spec"] },
  ),
);

describe("whatever claims to be a pod", () => {
  it("gives a result whose patch applies, or a denial with a code", () => {
    fc.assert(fc.property(pod, judge), { numRuns: 5000, seed: 9 });
  });

  it("is judged too when it is any JSON value", () => {
    fc.assert(fc.property(json, judge), { numRuns: 1000, seed: 9 });
  });

  it.each(["__proto__", "constructor", "toString"])("may have %s as key of its maps", (key) => {
    const text = JSON.stringify(aPod()).replace('"labels":{', `"annotations":{"${key}":"x"},"labels":{"${key}":"y",`);
    const given = JSON.parse(text) as Pod;
    judge(given);
    expect(inject(given).report.denied).toBeUndefined();
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  it("may have 1,000 containers, those injected included, so that a second injection finds no more either", () => {
    const some = (length: number): Pod => aPod({ containers: Array.from({ length }, (_, at) => aContainer(`c${at}`)) });
    const { pod: largest } = inject(some(996));
    expect(largest.spec.containers).toHaveLength(1000);
    expect(inject(largest)).toMatchObject({ pod: largest, patch: [] });
    expect(inject(some(997)).report.denied).toMatchObject({
      code: "HOT2111",
      sentence: "pod.spec.containers has more than 1000 entries with those of the SidecarSets",
    });
  });

  it("may share 10,000 mounts, also in a second injection", () => {
    const some = (length: number): Pod => {
      const volumeMounts = Array.from({ length }, (_, at) => ({ name: "v", mountPath: `/${at}` }));
      return aPod({ containers: [aContainer("main", { volumeMounts })] });
    };
    const { pod: largest } = inject(some(10_000));
    expect(largest.spec.containers.find(({ name }) => name === "cold")?.volumeMounts).toHaveLength(10_001);
    expect(inject(largest)).toMatchObject({ pod: largest, patch: [] });
    expect(inject(some(10_001)).report.denied).toMatchObject({
      code: "HOT2111",
      sentence: "pod.spec.containers has more than 10000 volumeMounts and volumeDevices to share with sidecars",
    });
  });

  it.each<[string, Pod]>([
    [
      "pod.spec.containers has more than 1000 entries",
      aPod({ containers: Array.from({ length: 1001 }, (_, index) => aContainer(`c${index}`)) }),
    ],
    ["pod.spec.containers[0].name has more than 63 characters", aPod({ containers: [aContainer("a".repeat(64))] })],
    [
      "pod.metadata.labels has more than 10000 entries",
      {
        ...aPod(),
        metadata: { labels: Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [`l${at}`, ""])) },
      },
    ],
    ["pod.metadata.annotations has more than 262144 characters", aPod({}, { x: "a".repeat(256 * 1024) })],
    [
      "pod.spec.containers[0].volumeMounts[0].subPathExpr has more than 4096 characters",
      aPod({
        containers: [
          aContainer("main", { volumeMounts: [{ name: "v", mountPath: "/x", subPathExpr: "a".repeat(4097) }] }),
        ],
      }),
    ],
    [
      "pod.spec.containers[0].env[0] is nested too deeply",
      aPod({
        containers: [
          aContainer("main", { env: [{ name: "A", x: JSON.parse("[".repeat(99) + "]".repeat(99)) } as never] }),
        ],
      }),
    ],
  ])("is denied at once where no node could run it anyway: %s", (sentence, given) => {
    const { pod: result, report } = inject(given);
    expect(report.denied).toMatchObject({ code: "HOT2111", sentence });
    expect(result).toBe(given);
  });

  it("may be nested 10,000 levels deep, the most that the API server reads", () => {
    const deep = JSON.parse("[".repeat(10_000) + "]".repeat(10_000)) as unknown;
    for (const place of [{ affinity: deep }, { volumes: [{ name: "shared", deep }] }, { containers: [deep] }]) {
      const { report } = inject(aPod(place as never));
      expect(report.denied?.code ?? "HOT2105").toMatch(/^HOT21\d\d$/);
    }
  });
});

describe("a second injection", () => {
  const names = fc.uniqueArray(fc.constantFrom("main", "web", "db"), { minLength: 1 });
  it("changes nothing, whatever the pod and the SidecarSets", () => {
    fc.assert(
      fc.property(names, fc.subarray(sidecarSets), (containers, chosen) => {
        const input = { namespace: { name: "shop" }, sidecarSets: chosen, now: NOW };
        const first = injectPod({ ...input, pod: aPod({ containers: containers.map((name) => aContainer(name)) }) });
        const second = injectPod({ ...input, pod: first.pod, now: "2026-02-02T03:04:05Z" });
        expect(first.report.denied).toBeUndefined();
        expect(second.patch).toEqual([]);
      }),
      { numRuns: 1000, seed: 9 },
    );
  });
});
