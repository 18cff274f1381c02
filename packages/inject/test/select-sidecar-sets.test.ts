// SPDX-License-Identifier: Apache-2.0
import { BASE_ANNOTATION, CANARY_ANNOTATION, type SidecarSet, type SidecarSetSpec } from "@hot/spec";
import { expect, test } from "vitest";
import { injectPod, prepareSidecarSets, selectSidecarSets } from "../src/index.ts";
import { aContainer, aPod, aSidecarSet, NOW } from "./pod-builder.ts";

const app = (...values: string[]): Partial<SidecarSetSpec> => ({
  selector: { matchExpressions: [{ key: "app", operator: "In", values }] },
});
const inShop = { namespaceSelector: { matchLabels: { team: "shop" } } };
const canary = aSidecarSet("canary", [aContainer("d")], app("web"));
const list: SidecarSet[] = [
  aSidecarSet("plain", [aContainer("a")]),
  aSidecarSet("paused", [aContainer("b")], { injectionStrategy: { paused: true } }),
  aSidecarSet("base", [aContainer("c")], app("web", "db")),
  {
    ...canary,
    metadata: {
      ...canary.metadata,
      annotations: { ...canary.metadata.annotations, [CANARY_ANNOTATION]: "true", [BASE_ANNOTATION]: "base" },
    },
  },
  aSidecarSet("nothing", []),
  aSidecarSet("inits", [], { initContainers: [aContainer("e")] }),
  aSidecarSet("shop", [aContainer("f")], inShop),
  aSidecarSet("everything", [aContainer("g")], { selector: {} }),
];
const shop = { name: "shop", labels: { team: "shop" } };

test.each([
  [{ app: "web" }, shop, ["canary", "inits", "plain", "shop"]],
  [{ app: "web" }, { name: "other" }, ["canary", "inits", "plain"]],
  [{ app: "web" }, undefined, ["canary", "inits", "plain"]],
  [{ app: "db" }, shop, ["base"]],
  [{}, shop, []],
])("%o in %o: %o", (labels, namespace, names) => {
  expect(selectSidecarSets(labels, namespace, prepareSidecarSets(list))).toEqual(names);
});

test("it chooses what injection injects", () => {
  const { report } = injectPod({ pod: aPod(), namespace: shop, sidecarSets: list, now: NOW });
  expect(report.injected.map((one) => one.sidecarSet)).toEqual(
    selectSidecarSets({ app: "web" }, shop, prepareSidecarSets(list)),
  );
});

test("a selector that can't be evaluated chooses nothing, and hides no other SidecarSet", () => {
  const broken = aSidecarSet("broken", [aContainer("x")], { selector: { matchLabels: { "a b": "c" } } });
  const sets = prepareSidecarSets([broken, aSidecarSet("plain", [aContainer("a")])]);
  expect(selectSidecarSets({ app: "web" }, shop, sets)).toEqual(["plain"]);
});
