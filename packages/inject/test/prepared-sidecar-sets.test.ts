// SPDX-License-Identifier: Apache-2.0
import { matchesSelector, selectorIsEmpty, type LabelSelector, type SidecarSet } from "@hot/spec";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { injectPod, prepareSidecarSets } from "../src/index.ts";
import { aContainer, aPod, aSidecarSet, NOW } from "./pod-builder.ts";

const key = fc.constantFrom("app", "team", "kubernetes.io/metadata.name");
const value = fc.constantFrom("web", "shop", "db");
const labels = fc.dictionary(key, value);
const term = fc.oneof(
  fc.record({
    key,
    operator: fc.constantFrom("In", "NotIn"),
    values: fc.uniqueArray(value, { minLength: 1 }),
  }),
  fc.record({ key, operator: fc.constantFrom("Exists", "DoesNotExist") }),
);
const selector: fc.Arbitrary<LabelSelector> = fc.record(
  { matchLabels: labels, matchExpressions: fc.array(term, { maxLength: 2 }) },
  { requiredKeys: [] },
);
const spec = fc.record({ selector, namespaceSelector: selector }, { requiredKeys: ["selector"] });
const lists = fc
  .array(spec, { maxLength: 8 })
  .map((specs) => specs.map((one, index) => aSidecarSet(`s${index}`, [aContainer(`c${index}`)], one)));

test("property: the index finds exactly those whose selectors match, and has a reason for each other one", () => {
  fc.assert(
    fc.property(lists, labels, labels, (list, podLabels, namespaceLabels) => {
      const pod = { ...aPod(), metadata: { labels: podLabels } };
      const namespace = { name: "shop", labels: namespaceLabels };
      const { report } = injectPod({ pod, namespace, sidecarSets: prepareSidecarSets(list), now: NOW });
      const matching = list.filter(
        ({ spec: { selector: own, namespaceSelector } }) =>
          !selectorIsEmpty(own) &&
          matchesSelector(own, podLabels) &&
          (namespaceSelector === undefined || matchesSelector(namespaceSelector, namespaceLabels)),
      );
      const names = (from: readonly { sidecarSet: string }[]): string[] => from.map((one) => one.sidecarSet).sort();
      expect(names(report.injected)).toEqual(matching.map(({ metadata }) => metadata.name));
      expect(names([...report.injected, ...report.skipped])).toEqual(list.map(({ metadata }) => metadata.name));
    }),
    { numRuns: 2000, seed: 4 },
  );
});

const pinned = aSidecarSet("pinned", [aContainer("c")], {
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "shop" } },
});
const broken = (where: "selector" | "namespaceSelector"): SidecarSet =>
  aSidecarSet("broken", [aContainer("c")], { [where]: { matchLabels: { "a b": "x" } } });

test.each([
  ["a namespace that could not be read", pinned, undefined, "NamespaceUnknown"],
  ["a broken selector", broken("selector"), { name: "shop" }, "SelectorInvalid"],
  ["a broken namespaceSelector", broken("namespaceSelector"), { name: "shop" }, "SelectorInvalid"],
])("%s denies the injection through the index too", (_what, sidecarSet, namespace, reason) => {
  const sidecarSets = prepareSidecarSets([sidecarSet]);
  expect(injectPod({ pod: aPod(), namespace, sidecarSets, now: NOW }).report.denied?.reason).toBe(reason);
});

test("a list is indexed once, and again when other SidecarSets are in it", () => {
  const list = [pinned];
  const first = prepareSidecarSets(list);
  expect(prepareSidecarSets(list)).toBe(first);
  list.push(aSidecarSet("other", [aContainer("d")]));
  const { report } = injectPod({ pod: aPod(), namespace: { name: "x" }, sidecarSets: list, now: NOW });
  expect(report.injected.map((one) => one.sidecarSet)).toEqual(["other"]);
});

test("of 1,000 SidecarSets only those are evaluated whose rarest label is there", () => {
  const list = Array.from({ length: 1000 }, (_, index) =>
    aSidecarSet(`s${index}`, [], { selector: { matchLabels: { env: "prod", app: `app-${index}` } } }),
  );
  const index = prepareSidecarSets(list);
  expect(index.candidates({ env: "prod", app: "app-7" }, {}).map((at) => index.inOrder[at]?.name)).toEqual(["s7"]);
});
