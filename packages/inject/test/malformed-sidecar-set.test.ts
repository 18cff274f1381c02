// SPDX-License-Identifier: Apache-2.0
import type { ControllerRevision, SidecarSet } from "@hot/spec";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyPatch, injectPod, prepareSidecarSets, selectSidecarSets } from "../src/index.ts";
import { curiousSidecarSets } from "./hostile-pods.ts";
import { aContainer, aPod, aSidecarSet, NOW } from "./pod-builder.ts";

const namespace = { name: "shop", labels: { team: "shop" } };
const inject = (sidecarSets: readonly unknown[], labels = { app: "web" }) =>
  injectPod({
    pod: { ...aPod(), metadata: { labels } },
    namespace,
    sidecarSets: sidecarSets as SidecarSet[],
    now: NOW,
  });
const written = (containers: unknown, more: object = {}): unknown => ({
  ...aSidecarSet("s", [], more),
  spec: { selector: { matchLabels: { app: "web" } }, ...more, containers },
});

describe("a SidecarSet that was written by hand, without an API server's checks", () => {
  it.each<[string, unknown]>([
    ["spec.containers[0].env[0].value must be a string", written([{ name: "c", env: [{ name: "A", value: 8080 }] }])],
    ["spec.containers[0].command must be a list", written([{ name: "c", command: "sleep" }])],
    ["spec.containers[0] must be an object", written(["c"])],
    ["spec.containers[0].env[0] is null", written([{ name: "c", env: [null] }])],
    ["spec must be an object", { metadata: { name: "s" }, spec: "x" }],
    ["spec must be an object", { metadata: { name: "s" } }],
    ["metadata must be an object", { spec: { selector: { matchLabels: { app: "web" } } } }],
    [
      "metadata.annotations[a] must be a string",
      { metadata: { name: "s", annotations: { a: 1 } }, spec: { selector: { matchLabels: { app: "web" } } } },
    ],
    ["spec.selector must be an object", written([], { selector: "app=web" })],
    ["spec.selector.matchLabels[app] must be a string", written([], { selector: { matchLabels: { app: 1 } } })],
    ["SidecarSet : it must be an object", null],
    ["spec.volumes is nested deeper than 100 levels", written([], { volumes: nested(200) })],
  ])("denies the pod with a code and the place: %s", (sentence, sidecarSet) => {
    const { patch, report } = inject([sidecarSet]);
    expect(report.denied?.code).toBe("HOT2112");
    expect(report.denied?.sentence).toContain(sentence);
    expect(patch).toEqual([]);
  });

  it("denies only pods that it selects, where its selector can be read", () => {
    const { report } = inject([written([{ name: "c", command: "sleep" }])], { app: "other" });
    expect(report).toMatchObject({ skipped: [{ sidecarSet: "s", code: "HOT2001" }] });
    expect(report.denied).toBeUndefined();
  });

  it("may have members that are null, which say nothing", () => {
    const nulls = { env: null, volumeMounts: null, transferEnv: null, resources: null, upgradeStrategy: null };
    const more = { namespaceSelector: null, volumes: null, injectionStrategy: null, patchPodMetadata: null };
    const { report, pod } = inject([written([{ ...aContainer("c"), ...nulls }], more)]);
    expect(report.injected).toMatchObject([{ sidecarSet: "s", containers: ["c"] }]);
    expect(pod).toEqual(inject([written([aContainer("c")])]).pod);
  });
});

it.each<[string, unknown]>([
  ["a number as the value of an env", { containers: [{ name: "c", env: [{ name: "A", value: 1 }] }] }],
  ["a container that is none", { containers: [null] }],
  ["no list", { containers: "c" }],
])("a revision with %s is none that can be restored", (_what, spec) => {
  const live = aSidecarSet("s", [aContainer("c")], { injectionStrategy: { revision: { revisionName: "s-1" } } });
  const metadata = { name: "s-1", labels: { "kruise.io/sidecarset-name": "s" } };
  const revisions = [{ metadata, revision: 1, data: { spec } }] as unknown as ControllerRevision[];
  const { report } = injectPod({ pod: aPod(), namespace, sidecarSets: [live], revisions, now: NOW });
  expect(report.denied?.code).toBe("HOT2104");
});

it("whatever claims to be a SidecarSet gives a result whose patch applies, or a denial with a code", () => {
  const places = placesOf(curiousSidecarSets);
  const value = fc.oneof(
    fc.constantFrom<unknown>(null, "x", "50%", 1, true, "(", [], {}, [null], [{}], { toString: 1 }),
    fc.jsonValue({ maxDepth: 1 }),
  );
  const changes = fc.array(fc.tuple(fc.constantFrom(...places), value), { minLength: 1, maxLength: 2 });
  fc.assert(
    fc.property(changes, (all) => {
      const sidecarSets = structuredClone(curiousSidecarSets);
      for (const [place, to] of all) put(sidecarSets, place, to);
      const before = JSON.stringify(sidecarSets);
      const { patch, report } = inject(sidecarSets);
      expect(JSON.stringify(sidecarSets)).toBe(before);
      if (report.denied) expect(report.denied.code).toMatch(/^HOT21\d\d$/);
      else expect(() => applyPatch(aPod(), patch)).not.toThrow();
      expect(() => selectSidecarSets({ app: "web" }, namespace, prepareSidecarSets(sidecarSets))).not.toThrow();
    }),
    { numRuns: 3000, seed: 4 },
  );
});

function nested(depth: number): unknown {
  return JSON.parse("[".repeat(depth) + "]".repeat(depth));
}

type Place = readonly string[];

function placesOf(value: unknown, at: Place = []): Place[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [[...at, key], ...placesOf(item, [...at, key])]);
}

/** Where a change before has taken the place away, nothing is changed. */
function put(root: unknown, place: Place, value: unknown): void {
  let target = root;
  for (const key of place.slice(0, -1)) {
    target = typeof target === "object" && target !== null ? Reflect.get(target, key) : undefined;
  }
  if (typeof target === "object" && target !== null) Reflect.set(target, place.at(-1) ?? "", value);
}
