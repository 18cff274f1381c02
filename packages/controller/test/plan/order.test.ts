// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { inOrder } from "../../src/plan/order.ts";
import { projectPod, type PodProjection } from "../../src/plan/pod-projection.ts";
import { injectedPod, sidecarSet } from "../support/builders.ts";

const base = projectPod(injectedPod(sidecarSet()));
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
