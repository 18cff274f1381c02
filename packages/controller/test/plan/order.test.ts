// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { inOrder } from "../../src/plan/order.ts";
import { projectPod, type PodProjection } from "../../src/plan/pod-projection.ts";
import { injectedPod, sidecarSet } from "../support/builders.ts";

const seen = projectPod(injectedPod(sidecarSet()));
// Its times are read by getters, which a copy would not have.
const base: PodProjection = { ...seen, createdAt: seen.createdAt, readyAt: seen.readyAt! };
const pod = (name: string, change: Partial<PodProjection>) => ({ pod: { ...base, name, ...change } });
const restarted = base.containers.map((one) => ({ ...one, status: { ...one.status!, restartCount: 3 } }));

// From the pod that is easiest to lose to the one that is missed most.
const sorted = [
  pod("unassigned", { nodeName: "" }),
  pod("pending", { phase: "Pending" }),
  pod("unknown", { phase: "Unknown" }),
  pod("not-ready", { ready: false }),
  pod("just-ready", { readyAt: base.readyAt! + 5000 }),
  pod("restarts", { containers: restarted }),
  pod("younger", { createdAt: base.createdAt + 1000 }),
  pod("a", {}),
  pod("b", {}),
];

test("the order is total: any permutation is sorted alike", () => {
  const names = sorted.map((one) => one.pod.name);
  for (const shuffled of [sorted.toReversed(), [...sorted.slice(4), ...sorted.slice(0, 4)]]) {
    expect(inOrder(shuffled).map((one) => one.pod.name)).toEqual(names);
  }
});

describe("updateStrategy", () => {
  // Younger pods come first, so that p0 is the last without a strategy.
  const labelled = (...labels: Record<string, string>[]) =>
    labels.map((one, index) => pod(`p${index}`, { labels: one, createdAt: base.createdAt - index * 1000 }));
  const names = (items: { pod: PodProjection }[]) => items.map((one) => one.pod.name).join(" ");
  const a = { zone: "a" };
  const b = { zone: "b" };

  test("weights are added up; the heaviest comes first, and equal ones keep their order", () => {
    const items = labelled(a, { ...a, big: "1" }, b, { big: "1" });
    const weightPriority = [
      { weight: 10, matchSelector: { matchLabels: a } },
      { weight: 20, matchSelector: { matchExpressions: [{ key: "big", operator: "Exists" as const }] } },
    ];
    expect(names(inOrder(items, { priorityStrategy: { weightPriority } }))).toBe("p1 p3 p0 p2");
  });

  test("orders go by the first label that a pod has, then by the number at the end of its value, the greatest first", () => {
    const items = labelled({ y: "9" }, { x: "pod-2" }, { x: "pod-10" }, {});
    const orderPriority = [{ orderedKey: "x" }, { orderedKey: "y" }];
    // A pod with none of the labels comes first, as with Kruise.
    expect(names(inOrder(items, { priorityStrategy: { orderPriority } }))).toBe("p3 p2 p1 p0");
  });

  test("the numbers of orders have 63 bits, of which each counts; a greater one counts as none", () => {
    const numbers = ["9007199254740992", "9007199254740993", "9223372036854775807", "9223372036854775808", "v-007"];
    const items = labelled(...numbers.map((x) => ({ x })));
    expect(names(inOrder(items, { priorityStrategy: { orderPriority: [{ orderedKey: "x" }] } }))).toBe(
      "p2 p1 p0 p4 p3",
    );
  });

  test("scattering spreads what matches over the whole rollout and ends with one of them", () => {
    const items = labelled(a, a, a, b, b, b, b);
    expect(names(inOrder(items, { scatterStrategy: [{ key: "zone", value: "a" }] }))).toBe("p0 p3 p4 p1 p5 p6 p2");
  });

  test("a star stands for every value, and one match or one other pod alone is not scattered", () => {
    const items = labelled(a, a, b, b, b);
    const scatter = (value: string) => names(inOrder(items, { scatterStrategy: [{ key: "zone", value }] }));
    expect(scatter("*")).not.toBe("p0 p1 p2 p3 p4");
    expect(scatter("*").split(" ").sort()).toEqual(["p0", "p1", "p2", "p3", "p4"]);
    expect(names(inOrder(labelled(a, b, b), { scatterStrategy: [{ key: "zone", value: "a" }] }))).toBe("p0 p1 p2");
  });

  test("an empty value means pods with the label where there are other terms, and those without it too where it is alone", () => {
    const items = labelled(a, a, {}, {}, b, b);
    const scatter = (...values: string[]) =>
      names(inOrder(items, { scatterStrategy: values.map((value) => ({ key: "zone", value })) }));
    expect(scatter("", "a")).toBe("p0 p2 p3 p4 p5 p1");
    expect(scatter("")).toBe("p2 p0 p1 p4 p5 p3");
  });

  test("a star on a label with very many values costs no pass over all pods for each of them", () => {
    let reads = 0;
    const items = labelled(...Array.from({ length: 2_000 }, (_, i) => ({ zone: `z${i % 1_000}` }))).map(({ pod }) => ({
      get pod() {
        reads++;
        return pod;
      },
    }));
    const order = inOrder(items, { scatterStrategy: [{ key: "zone", value: "*" }] });
    expect(new Set(order).size).toBe(2_000);
    expect(reads / items.length).toBeLessThan(1_000);
  });
});
