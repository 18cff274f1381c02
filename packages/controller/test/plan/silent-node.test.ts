// SPDX-License-Identifier: Apache-2.0
// Nodes that do not answer, through whole rollouts.
import { findCondition, type Pod, type SidecarSet } from "@hot/spec";
import { expect, test } from "vitest";
import { injectedPod, T0 } from "../support/builders.ts";
import { carriedOut, type Fate } from "../support/kubelet.ts";
import { after, planFor } from "../support/planning.ts";
import { DEADLINE, down, silent, status, strategy, v1, v2 } from "./situations.ts";

const SECOND = 1000;

interface Fleet {
  readonly pods: Map<string, Pod>;
  /** Kubelets that do nothing. */
  readonly dead: Set<string>;
  now: number;
}

function fleet(count: number): Fleet {
  const pods = Array.from({ length: count }, (_, i) => injectedPod(v1, `web-${i}`));
  return { pods: new Map(pods.map((pod) => [pod.metadata.name ?? "", pod])), dead: new Set(), now: T0 };
}

/** Rounds of ten seconds each. `onStart` is told of each pod whose upgrade is written. */
function roll(
  all: Fleet,
  set: SidecarSet,
  rounds: number,
  onStart: (name: string) => void = () => undefined,
  fate: Fate = "runs",
): void {
  for (let round = 0; round < rounds; round++, all.now += 10 * SECOND) {
    for (const { pod, kind, write } of planFor([...all.pods.values()], set, { now: all.now }).writes) {
      all.pods.set(pod.name, after(all.pods.get(pod.name)!, write));
      if (kind === "upgrade") onStart(pod.name);
    }
    for (const [name, pod] of all.pods) if (!all.dead.has(name)) all.pods.set(name, carriedOut(pod, () => fate) ?? pod);
  }
}

function stateOf({ pods, now }: Fleet, set: SidecarSet) {
  const planned = planFor([...pods.values()], set, { now });
  const { updatedReadyPods, failedPods, conditions } = planned.status!;
  const reasons = Object.fromEntries(planned.pods.map(({ pod, reason }) => [pod.name, reason]));
  return { updatedReadyPods, failedPods, stalled: findCondition(conditions, "Stalled")?.status, reasons };
}

const die = (all: Fleet, name: string, isSeen = true): void => {
  all.dead.add(name);
  if (isSeen) all.pods.set(name, silent(all.pods.get(name)!));
};

const comeBack = (all: Fleet, name: string): void => {
  const pod = all.pods.get(name)!;
  const conditions = (pod.status?.conditions ?? []).map((one) => ({ ...one, status: "True" as const }));
  all.dead.delete(name);
  all.pods.set(name, { ...pod, status: { ...pod.status, conditions } });
};

test("a node that is dead before the rollout: it ends for all other pods, and for this one when the node is back", () => {
  const all = fleet(5);
  die(all, "web-4");
  roll(all, v2, 30);
  expect(stateOf(all, v2)).toMatchObject({ updatedReadyPods: 4, failedPods: 0, stalled: "False" });
  expect(stateOf(all, v2).reasons["web-4"]).toBe("NodeNotReady");
  comeBack(all, "web-4");
  roll(all, v2, 10);
  expect(stateOf(all, v2)).toMatchObject({ updatedReadyPods: 5, failedPods: 0, stalled: "False" });
});

test.each([
  ["and is seen to be", true],
  ["and nobody tells: its pod was not ready anyway", false],
])("a node that dies with the write, %s: the upgrade is taken back at its deadline, without a failure", (_, isSeen) => {
  const all = fleet(5);
  let first: string | undefined;
  roll(all, v2, 40, (name) => {
    first ??= name;
    if (name === first) die(all, name, isSeen);
  });
  expect(stateOf(all, v2)).toMatchObject({ updatedReadyPods: 4, failedPods: 0, stalled: "False" });
  expect(stateOf(all, v2).reasons[first!]).toBe(isSeen ? "NodeNotReady" : "NotObserved");
  comeBack(all, first!);
  roll(all, v2, 10);
  expect(stateOf(all, v2)).toMatchObject({ updatedReadyPods: 5, failedPods: 0, stalled: "False" });
});

test("a node that dies with the write, and the old side was down: nothing can be taken back, and no unit is held for ever", () => {
  const all = fleet(5);
  const broken = status(all.pods.get("web-4")!, "x-1", down);
  const conditions = broken.status!.conditions!.map((one) => ({ ...one, status: "False" as const }));
  all.pods.set("web-4", { ...broken, status: { ...broken.status, conditions } });
  die(all, "web-4", false);
  roll(all, v2, 5);
  // One was started in the same round.
  expect(stateOf(all, v2).updatedReadyPods).toBe(1);
  const { wakeAt } = planFor([...all.pods.values()], v2, { now: DEADLINE });
  expect(wakeAt).toBe(DEADLINE + 60_000);
  roll(all, v2, 40);
  expect(stateOf(all, v2)).toMatchObject({ updatedReadyPods: 4, failedPods: 0, stalled: "False" });
  expect(stateOf(all, v2).reasons["web-4"]).toBe("OldSideDown");
});

test("a node that dies after the upgrade of its pod holds no unit", () => {
  const all = fleet(5);
  roll(all, strategy(v2, { partition: 4 }), 5);
  const updated = planFor([...all.pods.values()], v2).pods.find(({ facts }) => facts.updated);
  die(all, updated!.pod.name);
  roll(all, v2, 30);
  const { updatedReadyPods, reasons } = stateOf(all, v2);
  expect([updatedReadyPods, reasons[updated!.pod.name]]).toEqual([4, "NodeNotReady"]);
});

test("a kubelet that answers and does not get it done by the deadline is a failure", () => {
  const all = fleet(5);
  roll(all, v2, 20, () => undefined, "hangs");
  expect(stateOf(all, v2)).toMatchObject({ updatedReadyPods: 0, failedPods: 1, stalled: "True" });
});
