// SPDX-License-Identifier: Apache-2.0
import type { SidecarSet } from "@hot/spec";
import type { PodDecision, PodFacts, Sight } from "./decision.ts";
import { finishPod } from "./finish-pod.ts";
import { attemptsOf } from "./failure.ts";
import { earliest } from "./earliest.ts";
import { isHot } from "./hot-pair.ts";
import { decidePair } from "./hot-upgrade.ts";
import type { PodProjection } from "./pod-projection.ts";
import { seePod } from "./pod-sight.ts";
import { givenUpAt } from "./pod-state.ts";
import { knownReceipt } from "./receipts.ts";
import type { WriteKind } from "./snapshot.ts";
import { startPod } from "./start-pod.ts";
import { upgradableMessage } from "./upgradable-condition.ts";

/** Writes that make a pod unavailable for a moment. */
const DISTURBING = new Set<WriteKind | undefined>(["upgrade", "reset", "abort", "repair"]);

/** Most pods have none, and what is recalled of very many pods should take little room. */
const NO_RECEIPTS: PodFacts["receipts"] = [];

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
  // Of a write in flight the cache still shows what it was planned on.
  const finishing = finishPod(pod, states, sidecarSet, sight);
  const decision: PodDecision =
    pending === undefined
      ? (finishing ?? startPod(seen, states, sidecarSet, sight))
      : { do: "wait", reason: "NotObserved", detail: "the last write is not seen yet" };
  const unsettled = states.some(({ pair, decision }) => pair.record !== undefined && decision.do !== "settled");
  // Nothing that is written disturbs such a pod, for as long as nobody hears of it.
  const givenUp = seen.pairs.flatMap(({ record }) => givenUpAt(pod, record) ?? []);
  const isSilent = pod.silent === true || givenUp.some((at) => sight.now >= at);
  const attempts = attemptsOf(pod, seen.pairs, sidecarSet);
  const failed = attempts.failed ?? (finishing?.do === "report" && finishing.failing ? finishing.reason : undefined);
  const { pairs, ...facts } = seen;
  const receipts = pairs.flatMap((pair) => knownReceipt(pod, pair, sight) ?? []);
  const message = sidecarSet && upgradableMessage(pod, sight.name, seen.updated || seen.upgradable);
  const holdsUntil = earliest([
    ...states.map(({ decision }) => (decision.do === "wait" ? decision.until : undefined)),
    ...receipts.map(({ until }) => until),
    ...givenUp.filter((at) => at > sight.now),
  ]);
  return {
    ...facts,
    version: pairs
      .flatMap(({ sides }) => sides)
      .reduce((most, { version = 0n }) => (version > most ? version : most), 0n),
    receipts: receipts.length === 0 ? NO_RECEIPTS : receipts,
    ...(message !== undefined && { upgradableMessage: message }),
    ...(holdsUntil !== undefined && { holdsUntil }),
    holdsUnit: DISTURBING.has(pending) || (!isSilent && (seen.upgrading || unsettled || (seen.updated && !seen.ready))),
    ...(failed !== undefined && { failed }),
    ...(failed === undefined && isFailure(finishing) && { failing: true }),
    ...(attempts.retried && { retried: attempts.retried }),
    decision,
  };
}

function isFailure(decision: PodDecision | undefined): boolean {
  return decision?.do === "write" && decision.decision?.do === "abort" && decision.decision.failed;
}

function imageOf(sidecarSet: SidecarSet | undefined, base: string): { image?: string } {
  const container = sidecarSet?.spec.containers?.find((one) => one.name === base && isHot(one));
  return container?.image === undefined ? {} : { image: container.image };
}
