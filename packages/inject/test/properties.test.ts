// SPDX-License-Identifier: Apache-2.0
import type { Pod, SidecarContainer, SidecarSet } from "@hot/spec";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { applyPatch, injectPod, isInjected } from "../src/index.ts";
import { NOW } from "./pod-builder.ts";

const LATER = "2026-05-06T07:08:09Z";
const some = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model, { requiredKeys: [] });
const list = <T>(of: fc.Arbitrary<T>) => fc.array(of, { maxLength: 3 });
const word = fc.constantFrom("a", "b", "c", "d");
const env = list(fc.record({ name: fc.constantFrom("A", "B", "C"), value: word }));
const mount = fc.record({ name: word, mountPath: fc.constantFrom("/a", "/b", "/c") });
const mounts = fc.uniqueArray(mount, { maxLength: 3, selector: ({ mountPath }) => mountPath });
const volume = fc.record({ name: word, emptyDir: fc.constant({}) });
const volumes = fc.uniqueArray(volume, { maxLength: 3, selector: ({ name }) => name });
const secrets = fc.uniqueArray(fc.record({ name: word }), { maxLength: 2, selector: ({ name }) => name });
const note = fc.constantFrom('{"a":1}', '{"b":{"c":null}}', "{}");
const policy = fc.constantFrom("enabled", "disabled");
const requests = some({ cpu: fc.constantFrom("1", "250m"), memory: fc.constantFrom("1Gi", "64Mi") });

const pod = fc.record({
  metadata: fc.record(
    { labels: fc.constant({ app: "web" }), annotations: some({ note, other: word }) },
    { requiredKeys: ["labels"] },
  ),
  spec: fc.record(
    {
      containers: fc.uniqueArray(
        fc.record(
          {
            name: fc.constantFrom("main", "web", "p1"),
            image: word,
            env,
            volumeMounts: mounts,
            resources: some({ requests }),
          },
          { requiredKeys: ["name", "image"] },
        ),
        { minLength: 1, maxLength: 3, selector: ({ name }) => name },
      ),
      initContainers: fc.uniqueArray(fc.record({ name: fc.constantFrom("i1", "i2"), image: word }), {
        selector: ({ name }) => name,
      }),
      volumes,
      imagePullSecrets: secrets,
    },
    { requiredKeys: ["containers"] },
  ),
}) as fc.Arbitrary<Pod>;

const sidecar = (prefix: string) =>
  fc.record(
    {
      name: fc.constantFrom(...["1", "2", "3"].map((one) => prefix + one)),
      image: word,
      podInjectPolicy: fc.constantFrom("BeforeAppContainer", "AfterAppContainer"),
      env,
      volumeMounts: mounts,
      shareVolumePolicy: fc.record({ type: policy }),
      transferEnv: list(fc.record({ sourceContainerName: fc.constantFrom("main", "web"), envName: word })),
      upgradeStrategy: fc.constantFrom({ upgradeType: "HotUpgrade", hotUpgradeEmptyImage: "empty" }, {}),
      resourcesPolicy: fc.constant({
        targetContainersMode: "sum",
        targetContainersNameRegex: ".*",
        resourcesExpr: { requests: { cpu: "cpu*50%", memory: "max(memory, 1Mi)" } },
      }),
    },
    { requiredKeys: ["name", "image"] },
  ) as fc.Arbitrary<SidecarContainer>;

const unique = (of: fc.Arbitrary<SidecarContainer>) =>
  fc.uniqueArray(of, { maxLength: 3, selector: ({ name }) => name });
const sidecarSet = (name: string): fc.Arbitrary<SidecarSet> =>
  fc
    .record(
      {
        selector: fc.constantFrom({ matchLabels: { app: "web" } }, { matchLabels: { app: "web" } }, {}),
        containers: unique(sidecar(`${name}-c`)),
        initContainers: unique(sidecar(`${name}-i`)),
        volumes,
        imagePullSecrets: secrets,
        // A key that a SidecarSet names twice is refused by validation.
        patchPodMetadata: fc.array(
          fc.record({
            annotations: some({ note, [name]: note }),
            patchPolicy: fc.constantFrom("Retain", "MergePatchJson"),
          }),
          { maxLength: 1 },
        ),
      },
      { requiredKeys: ["selector"] },
    )
    .map((spec) => ({ metadata: { name }, spec }) as SidecarSet);
const sidecarSets = fc.tuple(sidecarSet("p"), sidecarSet("q"), sidecarSet("r"));

it("whatever the pod and the SidecarSets: the patch leads to the pod, and twice is once", { timeout: 120_000 }, () => {
  let injected = 0;
  fc.assert(
    fc.property(pod, sidecarSets, (given, sets) => {
      const before = structuredClone({ given, sets });
      const input = { namespace: { name: "shop" }, sidecarSets: sets };
      const first = injectPod({ ...input, pod: given, now: NOW });
      expect({ given, sets }).toEqual(before);
      const { denied } = first.report;
      if (denied) {
        expect([first.pod, first.patch, denied.code]).toEqual([given, [], expect.stringMatching(/^HOT21\d\d$/)]);
        return;
      }
      injected += first.report.injected.length;
      expect(applyPatch(given, first.patch)).toEqual(first.pod);
      expect(injectPod({ ...input, pod: first.pod, now: LATER }).patch).toEqual([]);
      expect(injectPod({ ...input, sidecarSets: sets.toReversed(), pod: given, now: NOW }).patch).toEqual(first.patch);

      const kept = first.pod.spec.containers.filter((one) => !isInjected(one));
      expect(kept).toEqual(given.spec.containers);
      expect((first.pod.spec.volumes ?? []).slice(0, given.spec.volumes?.length ?? 0)).toEqual(
        given.spec.volumes ?? [],
      );
      const told = [...first.report.injected, ...first.report.skipped].map((one) => one.sidecarSet);
      expect(told.sort()).toEqual(["p", "q", "r"]);
    }),
    { numRuns: 1000, seed: 7 },
  );
  // Most inputs must be of the kind that this is about.
  expect(injected).toBeGreaterThan(1000);
});
