// SPDX-License-Identifier: Apache-2.0
import type { Pod, SidecarSet } from "@hot/spec";
import { plan, type WholePlan } from "../../src/plan/plan.ts";
import { projectPod } from "../../src/plan/pod-projection.ts";
import { isLacking, isMatched, isUnfinished } from "../../src/plan/select-pods.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import type { PodWrite } from "../../src/plan/writes.ts";
import { T0 } from "./builders.ts";

export type Circumstances = Partial<Pick<Snapshot, "live" | "pending" | "receipts" | "now" | "name">>;

/** The plan for these pods, chosen as the controller chooses them. */
export function planFor(pods: readonly Pod[], sidecarSet?: SidecarSet, circumstances: Circumstances = {}): WholePlan {
  const projected = pods.map(projectPod);
  const name = sidecarSet?.metadata.name ?? "mesh";
  const matched = projected.filter((pod) => sidecarSet && isMatched(pod, sidecarSet, () => ({})));
  return plan({
    name,
    ...(sidecarSet && { sidecarSet }),
    live: false,
    matched,
    lingering: projected.filter((pod) => !matched.includes(pod) && isUnfinished(pod, name)),
    lacking: projected.filter((pod) => sidecarSet && isLacking(pod, sidecarSet, () => ({}))),
    pending: new Map(),
    receipts: new Map(),
    now: T0,
    ...circumstances,
  });
}

/** One word for what is done in the first pod: the kind of write, or the reason for none. */
export function verdict({ writes, pods }: WholePlan): string {
  const [pod] = pods;
  return writes[0]?.write.kind.toUpperCase() ?? pod?.reason ?? "nothing";
}

/** A pod after a write, as the API server stores it. */
export function after(pod: Pod, write: PodWrite | undefined): Pod {
  if (write === undefined) throw new Error("nothing is written");
  const changed = Object.keys(write.images).length > 0;
  const { generation = 1, resourceVersion = "0", annotations } = pod.metadata;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      annotations: { ...annotations, ...write.annotations },
      generation: changed ? generation + 1 : generation,
      resourceVersion: String(Number(resourceVersion) + 1),
    },
    spec: {
      ...pod.spec,
      containers: pod.spec.containers.map((one) =>
        Object.assign({}, one, { image: write.images[one.name] ?? one.image }),
      ),
    },
  };
}

/** A pod in the middle of its upgrade from `x:1` in `x-1` to the SidecarSet's image in `x-2`, as the API has it right after the write. */
export function upgrading(pod: Pod, sidecarSet: SidecarSet): Pod {
  return after(pod, planFor([pod], sidecarSet).writes[0]?.write);
}
