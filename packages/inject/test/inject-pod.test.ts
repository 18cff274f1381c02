// SPDX-License-Identifier: Apache-2.0
import type { Pod, SidecarSet } from "@hot/spec";
import { describe, expect, test } from "vitest";
import { applyPatch, injectPod, type InjectPodResult } from "@hot/inject";
import { aContainer, aHotContainer, aPod, aSidecarSet, NOW } from "./pod-builder.ts";

const shop = { name: "shop", labels: { "kubernetes.io/metadata.name": "shop" } };
const LATER = "2026-05-06T07:08:09Z";

function inject(pod: Pod, sidecarSets: SidecarSet[], now = NOW): InjectPodResult {
  return injectPod({ pod, namespace: shop, sidecarSets, now });
}

function codes({ report }: InjectPodResult): string[] {
  return report.skipped.map((one) => `${one.sidecarSet} ${one.code} ${one.reason}`);
}

describe("hot pair", () => {
  const { pod, patch, report } = inject(aPod(), [aSidecarSet("mesh", [aHotContainer("proxy", { env: [] })])]);

  test("-1 works with the image, -2 stands by with the empty image", () => {
    expect(pod.spec.containers.map(({ name, image }) => [name, image])).toEqual([
      ["main", "main:1"],
      ["proxy-1", "proxy:1"],
      ["proxy-2", "empty:1"],
    ]);
    expect(pod.metadata.annotations).toMatchObject({
      "kruise.io/sidecarset-working-hotupgrade-container": '{"proxy":"proxy-1"}',
      "version.sidecarset.kruise.io/proxy-1": "1",
      "version.sidecarset.kruise.io/proxy-2": "0",
      "versionalt.sidecarset.kruise.io/proxy-1": "0",
      "versionalt.sidecarset.kruise.io/proxy-2": "1",
    });
  });

  test("each side reads its own versions from the pod's annotations", () => {
    expect(pod.spec.containers[2]?.env).toEqual([
      { name: "IS_INJECTED", value: "true" },
      {
        name: "SIDECARSET_VERSION",
        valueFrom: { fieldRef: { fieldPath: "metadata.annotations['version.sidecarset.kruise.io/proxy-2']" } },
      },
      {
        name: "SIDECARSET_VERSION_ALT",
        valueFrom: { fieldRef: { fieldPath: "metadata.annotations['versionalt.sidecarset.kruise.io/proxy-2']" } },
      },
    ]);
  });

  test("the patch leads to the pod and the report names both containers", () => {
    expect(applyPatch(aPod(), patch)).toEqual(pod);
    expect(report).toEqual({
      injected: [{ sidecarSet: "mesh", containers: ["proxy-1", "proxy-2"], hash: "hash-of-mesh" }],
      skipped: [],
      warnings: [],
    });
  });
});

describe("a container that is not ours is never changed", () => {
  test.each([
    ["a container", aPod({ containers: [aContainer("main"), aContainer("proxy-2")] })],
    ["an init container", aPod({ initContainers: [aContainer("proxy-1")] })],
  ])("a hot pair's name taken by %s denies the injection", (_what, pod) => {
    const result = inject(pod, [aSidecarSet("mesh", [aHotContainer("proxy")])]);
    expect(result.patch).toEqual([]);
    expect(result.pod).toBe(pod);
    expect(result.report.denied).toMatchObject({ code: "HOT2101", reason: "NameCollision", sidecarSet: "mesh" });
    expect(result.report.injected).toEqual([]);
  });

  test("two SidecarSets with one container name deny each other, in any order", () => {
    const sets = ["a", "b"].map((name) => aSidecarSet(name, [{ name: "proxy", image: "i" }]));
    for (const order of [sets, sets.toReversed()]) {
      expect(inject(aPod(), order).report.denied).toMatchObject({ code: "HOT2101", sidecarSet: "b" });
    }
  });
});

describe("injecting twice equals injecting once", () => {
  const sets = [
    aSidecarSet("mesh", [aHotContainer("proxy", { shareVolumePolicy: { type: "enabled" } })], {
      initContainers: [{ name: "setup", image: "setup:1" }],
      imagePullSecrets: [{ name: "registry" }],
      patchPodMetadata: [{ annotations: { note: '{"a":1}' }, patchPolicy: "MergePatchJson" }],
    }),
    aSidecarSet("log", [
      {
        name: "log",
        image: "log:1",
        transferEnv: [{ sourceContainerName: "proxy-1", envNames: ["IS_INJECTED", "A"] }],
      },
    ]),
  ];
  const once = inject(aPod(), sets);

  test("the second call changes nothing and says so", () => {
    const twice = inject(once.pod, sets, LATER);
    expect(twice.patch).toEqual([]);
    expect(codes(twice)).toEqual(["log HOT2003 AlreadyInjected", "mesh HOT2003 AlreadyInjected"]);
  });

  test("what others have changed on the sidecars since then stays, and new mounts of the app are shared", () => {
    const pod = structuredClone(once.pod);
    const token = { name: "token", mountPath: "/var/run/secrets" };
    const proxy = pod.spec.containers.find(({ name }) => name === "proxy-1")!;
    proxy.image = "mirror/proxy:1";
    proxy.volumeMounts = [token];
    proxy.env![1] = { name: "SIDECARSET_VERSION", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "x" } } };
    const data = { name: "data", mountPath: "/data" };
    pod.spec.containers.find(({ name }) => name === "main")!.volumeMounts = [data];

    const { patch, pod: result } = inject(pod, sets, LATER);
    expect(result.spec.containers.find(({ name }) => name === "proxy-1")).toEqual({
      ...proxy,
      volumeMounts: [token, data],
    });
    expect(patch.map(({ path }) => path)).toEqual([
      "/spec/containers/2/volumeMounts/1",
      "/spec/containers/3/volumeMounts",
    ]);
  });

  test("a copy of a pod that was upgraded since is injected afresh, without its record", () => {
    const copy = structuredClone(once.pod);
    Object.assign(copy.metadata.annotations!, {
      "kruise.io/sidecarset-working-hotupgrade-container": '{"proxy":"proxy-2"}',
      "version.sidecarset.kruise.io/proxy-1": "0",
      "version.sidecarset.kruise.io/proxy-2": "4711",
      "upgrade.hot.internal/proxy": "{}",
    });
    for (const container of copy.spec.containers) if (container.name.startsWith("proxy")) container.image = "other";
    const { pod, report } = inject(copy, sets);
    expect(pod.spec).toEqual(once.pod.spec);
    expect(pod.metadata.annotations).toEqual(once.pod.metadata.annotations);
    expect(report.injected.map(({ sidecarSet }) => sidecarSet)).toEqual(["mesh"]);
  });

  test("an older injection of the same SidecarSet is replaced in its place", () => {
    const newer = [aSidecarSet("log", [{ name: "log", image: "log:2" }]), sets[0]!];
    newer[0]!.metadata.annotations!["kruise.io/sidecarset-hash"] = "another";
    const { pod } = inject(once.pod, newer, LATER);
    expect(pod.spec.containers.map(({ name }) => name)).toEqual(once.pod.spec.containers.map(({ name }) => name));
    expect(pod.spec.containers.find(({ name }) => name === "log")?.image).toBe("log:2");
    expect(JSON.parse(pod.metadata.annotations!["kruise.io/sidecarset-hash"]!)).toMatchObject({
      log: { hash: "another", updateTimestamp: LATER },
      mesh: { updateTimestamp: NOW },
    });
  });
});

test("the result does not depend on the order of the SidecarSets: named namespaces first, then by name", () => {
  const pinned = { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "shop" } } };
  const sets = [
    aSidecarSet("z", [{ name: "z", image: "i", podInjectPolicy: "BeforeAppContainer" }], pinned),
    aSidecarSet("a", [{ name: "a", image: "i", podInjectPolicy: "BeforeAppContainer" }]),
    aSidecarSet("B", [{ name: "b", image: "i", podInjectPolicy: "BeforeAppContainer" }]),
  ];
  for (const order of [sets, sets.toReversed(), [sets[1]!, sets[0]!, sets[2]!]]) {
    expect(inject(aPod(), order).pod.spec.containers.map(({ name }) => name)).toEqual(["z", "b", "a", "main"]);
  }
});

describe("every SidecarSet that is not injected has a reason", () => {
  const containers = [{ name: "c", image: "i" }];
  test.each([
    ["NoMatch", aSidecarSet("s", containers, { selector: { matchLabels: { app: "other" } } })],
    ["NoMatch", aSidecarSet("s", containers, { selector: {} })],
    ["NoMatch", aSidecarSet("s", containers, { namespaceSelector: { matchLabels: { team: "x" } } })],
    ["InjectionPaused", aSidecarSet("s", containers, { injectionStrategy: { paused: true } })],
    ["NothingToInject", aSidecarSet("s", [])],
  ])("%s", (reason, sidecarSet) => {
    const result = inject(aPod(), [sidecarSet]);
    expect(result.report.skipped.map((one) => one.reason)).toEqual([reason]);
    expect(result.patch).toEqual([]);
  });

  test("ReplacedByCanary", () => {
    const canary = aSidecarSet("canary", [{ name: "c", image: "canary" }]);
    Object.assign(canary.metadata.annotations!, {
      "apps.kruise.io/sidecarset-canary": "true",
      "apps.kruise.io/sidecarset-base": "base",
    });
    const result = inject(aPod(), [aSidecarSet("base", containers), canary]);
    expect(codes(result)).toEqual(["base HOT2005 ReplacedByCanary"]);
    expect(result.pod.spec.containers.map(({ image }) => image)).toEqual(["main:1", "canary"]);
  });

  test("PodNotActive", () => {
    const result = inject({ ...aPod(), status: { phase: "Succeeded" } }, [aSidecarSet("s", containers)]);
    expect(codes(result)).toEqual(["s HOT2004 PodNotActive"]);
  });
});

describe("denied, with a code and the pod unchanged", () => {
  const containers = [{ name: "c", image: "i" }];
  test.each([
    [
      "HOT2102",
      aPod(),
      aSidecarSet("s", containers, { selector: { matchExpressions: [{ key: "a", operator: "In" }] } }),
    ],
    ["HOT2104", aPod(), aSidecarSet("s", containers, { injectionStrategy: { revision: { revisionName: "s-1" } } })],
    [
      "HOT2106",
      aPod({}, { k: "no json" }),
      aSidecarSet("s", containers, { patchPodMetadata: [{ annotations: { k: "{}" }, patchPolicy: "MergePatchJson" }] }),
    ],
    ["HOT2109", aPod({}, { "kruise.io/sidecarset-hash": "[]" }), aSidecarSet("s", containers)],
  ])("%s", (code, pod, sidecarSet) => {
    const { report, patch } = inject(pod, [sidecarSet]);
    expect(report.denied?.code).toBe(code);
    expect(report.denied?.sentence).toContain(code === "HOT2109" ? "kruise.io/sidecarset-hash" : "SidecarSet s");
    expect(report.denied?.fix).not.toBe("");
    expect(patch).toEqual([]);
  });

  test("a sentence shows no more of a long text than can be read", () => {
    const merge = { patchPodMetadata: [{ annotations: { k: "{}" }, patchPolicy: "MergePatchJson" as const }] };
    const { report } = inject(aPod({}, { k: "x".repeat(200_000) }), [aSidecarSet("s", containers, merge)]);
    expect(report.denied?.sentence).toBe(
      `SidecarSet s, spec.patchPodMetadata annotation k: {} can't be merged into ${"x".repeat(80)}…`,
    );
    const record = inject(aPod({}, { "kruise.io/sidecarset-hash": "x".repeat(200_000) }), [
      aSidecarSet("s", containers),
    ]);
    expect(record.report.denied?.sentence.length).toBeLessThan(300);
  });

  test("HOT2103: the Namespace is needed and unknown; a SidecarSet without namespaceSelector does not need it", () => {
    const scoped = aSidecarSet("s", containers, { namespaceSelector: { matchLabels: { team: "x" } } });
    const without = { pod: aPod(), namespace: undefined, now: NOW };
    expect(injectPod({ ...without, sidecarSets: [scoped] }).report.denied?.code).toBe("HOT2103");
    expect(injectPod({ ...without, sidecarSets: [aSidecarSet("s", containers)] }).report.injected).toHaveLength(1);
  });
});

describe("remarks", () => {
  test("a volume that nobody defines, an env that is missing, a volume that the pod has already", () => {
    const volumeMounts = ["a", "b"].map((name) => ({ name, mountPath: `/${name}` }));
    const transferEnv = [{ sourceContainerName: "main", envName: "X" }];
    const sidecarSet = aSidecarSet("s", [{ name: "c", image: "i", volumeMounts, transferEnv }], {
      volumes: [{ name: "b", emptyDir: {} }],
    });
    const { report, pod } = inject(aPod({ volumes: [{ name: "b", configMap: { name: "x" } }] }), [sidecarSet]);
    expect(report.warnings).toEqual([
      "SidecarSet s, container c: transferEnv found no env main.X (HOT2201)",
      "SidecarSet s: volume b is there already and was kept (HOT2202)",
      "SidecarSet s mounts volume a, which neither its spec.volumes nor the pod has (HOT2110)",
    ]);
    expect(pod.spec.volumes).toEqual([{ name: "b", configMap: { name: "x" } }]);
  });
});

test("big numbers in a merged annotation keep every digit", () => {
  const sidecarSet = aSidecarSet("s", [{ name: "c", image: "i" }], {
    patchPodMetadata: [{ annotations: { k: '{"b":0.10}' }, patchPolicy: "MergePatchJson" }],
  });
  const { pod } = inject(aPod({}, { k: '{"a":12345678901234567890}' }), [sidecarSet]);
  expect(pod.metadata.annotations?.["k"]).toBe('{"a":12345678901234567890,"b":0.10}');
});

test("entries that the hash annotations had stay, the old form is converted", () => {
  const before = { "kruise.io/sidecarset-hash": '{"old":"h"}', "kruise.io/sidecarset-injected-list": "old" };
  const { pod } = inject(aPod({}, before), [aSidecarSet("s", [{ name: "c", image: "i" }])]);
  expect(JSON.parse(pod.metadata.annotations!["kruise.io/sidecarset-hash"]!)).toMatchObject({
    old: { hash: "h", updateTimestamp: NOW },
    s: { hash: "hash-of-s", sidecarSetName: "s", sidecarList: ["c"] },
  });
  expect(pod.metadata.annotations!["kruise.io/sidecarset-injected-list"]).toBe("old,s");
});
