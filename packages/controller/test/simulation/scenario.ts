// SPDX-License-Identifier: Apache-2.0
import type { Random } from "./random.ts";
import type { Wish } from "./sidecar-sets.ts";

/** What kind of run a seed gives, before anything happens. */
export interface Scenario {
  readonly pods: number;
  /** One SidecarSet, or two that inject the same pods. */
  readonly wishes: readonly Wish[];
  /** ControllerRevisions are kept. */
  readonly history: boolean;
  /** Kubelets from before 1.34, which report no generation. */
  readonly oldKubelets: boolean;
  /** Hot containers have a postStart hook that waits for the takeover. */
  readonly hook: boolean;
  readonly kruise: boolean;
  /** An old leader may go on writing as if it led. */
  readonly delusion: boolean;
  readonly edits: number;
  /** Things that go wrong on nodes and in processes. */
  readonly mishaps: number;
  /** How often the leader is stopped, killed or frozen, besides crashes after writes. */
  readonly changes: number;
  /** How often a pod is added to the others, if possible while a rollout is stalled. */
  readonly births: number;
  /** Users and faults come within this time, in milliseconds. */
  readonly length: number;
}

export function scenarioOf(random: Random): Scenario {
  const some = (probability: number): boolean => random.chance(probability);
  const pods = random.pick([1, 2, 3, 3, 4]);
  const probe = some(0.2) ? "startup" : "exec";
  const hook = probe === "exec" && some(0.85);
  const history = some(0.3);
  const wish = (name: string, hot: Wish["hot"]): Wish => ({
    name,
    hot,
    empty: "e:1",
    ...(name === "mesh" && some(0.1) && { cold: "c:1" }),
    env: 0,
    ...(some(0.15) && { note: "1" }),
    probe,
    ...(history && some(0.5) && { historyLimit: random.int(1, 3) }),
    strategy: {
      maxUnavailable: random.pick([1, 1, 1, 2, 3]),
      ...(some(0.15) && { partition: random.int(1, pods) }),
      hotUpgrade: {
        progressDeadlineSeconds: random.pick([20, 60, 120]),
        failureThreshold: random.pick([1, 1, 2, 4]),
        ...(some(0.15) && { minReadySeconds: random.pick([2, 20]) }),
        ...(some(0.1) && { onFailure: "Wait" as const }),
        ...(history && some(0.5) && { newPodsWhenStalled: "LastGood" as const }),
      },
    },
  });
  const mesh = wish("mesh", some(0.12) ? { x: "x:1", y: "y:1" } : { x: "x:1" });
  return {
    pods,
    wishes: some(0.25) ? [mesh, wish("side", { z: "z:1" })] : [mesh],
    history,
    oldKubelets: some(0.1),
    hook,
    kruise: some(0.25),
    delusion: some(0.15),
    edits: random.pick([1, 2, 4, 6, 8]),
    mishaps: random.pick([0, 0, 1, 3]),
    changes: random.pick([0, 0, 1, 2]),
    births: random.pick(history ? [0, 1, 2, 4] : [0, 0, 0, 1]),
    length: random.pick([5_000, 30_000, 120_000, 240_000]),
  };
}
