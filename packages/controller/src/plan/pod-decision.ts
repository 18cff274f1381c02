// SPDX-License-Identifier: Apache-2.0
import type { SidecarSet } from "@hot/spec";
import type { PodDecision, PodFacts, Sight } from "./decision.ts";
import { finishPod } from "./finish-pod.ts";
import { attemptsOf } from "./failure.ts";
import { isHot } from "./hot-pair.ts";
import { decidePair } from "./hot-upgrade.ts";
import type { PodProjection } from "./pod-projection.ts";
import { seePod } from "./pod-sight.ts";
import type { WriteKind } from "./snapshot.ts";
import { startPod } from "./start-pod.ts";

/** Writes that make a pod unavailable for a moment. */
const DISTURBING = new Set<WriteKind | undefined>(["upgrade", "reset", "abort", "repair"]);

/** Decides for one pod. */
export function decidePod(pod: PodProjection, sidecarSet: SidecarSet | undefined, sight: Sight): PodFacts {
  const seen = seePod(pod, sidecarSet, sight);
  const states = seen.pairs.map((pair) => ({
    pair,
    decision: decidePair({
      pod,
      pair,
      ...imageOf(sidecarSet, pair.base),
      upgradable: seen.upgradable,
      receipts: sight.receipts,
      now: sight.now,
    }),
  }));
  const pending = sight.pending.get(pod.uid);
  const decision: PodDecision =
    pending === undefined
      ? (finishPod(pod, states, sidecarSet, sight) ?? startPod(seen, states, sidecarSet, sight))
      : { do: "wait", reason: "NotObserved", detail: "the last write is not seen yet" };
  const unsettled = states.some(({ pair, decision }) => pair.record !== undefined && decision.do !== "settled");
  const attempts = attemptsOf(pod, seen.pairs, sidecarSet);
  const failed = attempts.failed ?? (decision.do === "report" && decision.failing ? decision.reason : undefined);
  return {
    ...seen,
    holdsUnit: seen.upgrading || DISTURBING.has(pending) || unsettled || (seen.updated && !seen.ready),
    ...(failed !== undefined && { failed }),
    ...(attempts.retried && { retried: attempts.retried }),
    decision,
  };
}

function imageOf(sidecarSet: SidecarSet | undefined, base: string): { image?: string } {
  const container = sidecarSet?.spec.containers?.find((one) => one.name === base && isHot(one));
  return container?.image === undefined ? {} : { image: container.image };
}
