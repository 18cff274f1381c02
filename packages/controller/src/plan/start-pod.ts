// SPDX-License-Identifier: Apache-2.0
import { matchesSelector, type RolloutReason, type SidecarSet } from "@hot/spec";
import { changedFields } from "./changed-fields.ts";
import { isMark, type PairState, type PodDecision, type PodSight, type Sight } from "./decision.ts";
import { attemptsOf } from "./failure.ts";
import { isHot } from "./hot-pair.ts";
import { inconsistent } from "./in-place-state.ts";
import type { PodProjection } from "./pod-projection.ts";
import { containerNames } from "./pod-sight.ts";
import { rewrittenImages } from "./rewritten.ts";
import type { Images } from "./safety.ts";
import type { PairStart } from "./writes.ts";

const NOTHING: PodDecision = { do: "nothing" };

/** What a pod needs whose pairs are all settled; whether a candidate may start is up to order and budget. */
export function startPod(
  sight: PodSight,
  states: readonly PairState[],
  sidecarSet: SidecarSet | undefined,
  { name }: Pick<Sight, "name">,
): PodDecision {
  const { pod } = sight;
  if (sidecarSet === undefined) return NOTHING;
  if (sight.updated) return updated(sight, sidecarSet);
  if (!sight.upgradable && !isSelected(pod, sidecarSet)) return wait("SelectorNotMatched");
  if (!sight.upgradable)
    return { do: "report", reason: "NotUpgradable", detail: changedFields(pod, sidecarSet), failing: false };
  const start = starts(pod, states, sidecarSet);
  const emptying = start.hot.find((one) => one.image === one.standby.container.image);
  if (emptying !== undefined) {
    const detail = `${emptying.pair.base}: the wanted image is the empty image ${emptying.image}`;
    return { do: "report", reason: "Contradictory", detail, failing: false };
  }
  const candidate = { do: "candidate", ...start } as const;
  return heldBack(sight, candidate, sidecarSet, name) ?? candidate;
}

function updated({ pod, pairs, ready }: PodSight, sidecarSet: SidecarSet): PodDecision {
  const detail = ready ? rewrittenImages(pod, pairs, sidecarSet) : "";
  return detail === "" ? NOTHING : { do: "report", reason: "ImageRewritten", detail, failing: false };
}

function starts(
  pod: PodProjection,
  states: readonly PairState[],
  sidecarSet: SidecarSet,
): { hot: PairStart[]; cold: Images } {
  const hot: PairStart[] = [];
  const cold: Record<string, string> = {};
  for (const container of sidecarSet.spec.containers ?? []) {
    const { name, image } = container;
    if (image === undefined) continue;
    const state = states.find((one) => one.pair.base === name);
    if (!isHot(container)) {
      if (pod.containers.find((one) => one.name === name)?.image !== image) cold[name] = image;
    } else if (state?.decision.do === "settled" && state.decision.serving.container.image !== image) {
      hot.push({ pair: state.pair, serving: state.decision.serving, standby: state.decision.standby, image });
    } else if (state?.decision.do === "retarget") {
      const { target, old, record } = state.decision;
      hot.push({ pair: state.pair, serving: old, standby: target, image, instead: record });
    }
  }
  return { hot, cold };
}

function isSelected({ labels }: PodProjection, { spec }: SidecarSet): boolean {
  const selector = spec.updateStrategy?.selector;
  return selector === undefined || matchesSelector(selector, labels);
}

function wait(reason: RolloutReason, detail = ""): PodDecision {
  return { do: "wait", reason, detail };
}

function heldBack(
  { pod, pairs }: PodSight,
  candidate: PodDecision,
  sidecarSet: SidecarSet,
  name: string,
): PodDecision | undefined {
  const { updateStrategy, containers = [] } = sidecarSet.spec;
  if (updateStrategy?.type === "NotUpdate") return wait("NotUpdate");
  if (updateStrategy?.paused === true) return wait("Paused");
  if (!isSelected(pod, sidecarSet)) return wait("SelectorNotMatched");
  const { failed } = attemptsOf(pod, pairs, sidecarSet);
  if (failed !== undefined) return wait("FailedBefore", failed);
  if (pod.silent === true && !isMark(candidate)) return wait("NodeNotReady");
  const names = new Set(containers.flatMap(containerNames));
  const unready = inconsistent(pod, name, names, pairs).filter(
    (one) => pod.containers.find((container) => container.name === one)?.status?.ready === true,
  );
  return unready.length > 0 ? wait("NotConsistent", unready.join(", ")) : undefined;
}
