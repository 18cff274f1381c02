// SPDX-License-Identifier: Apache-2.0
import { isMark, type PodFacts } from "./decision.ts";
import type { PodProjection } from "./pod-projection.ts";
import type { Refusal, RefusalTimes, WriteKind } from "./snapshot.ts";

export function refusalKey({ uid }: Pick<PodProjection, "uid">, kind: WriteKind): string {
  return `${kind} ${uid}`;
}

/** The refusal that a write of a pod would meet again, whether or not it is time to try. */
export function refusalOf(refused: RefusalTimes | undefined, pod: PodProjection, kind: WriteKind): Refusal | undefined {
  // Of nearly all SidecarSets nothing was ever refused: then no key is made for each of their pods.
  if (refused === undefined || refused.size === 0) return undefined;
  const found = refused.get(refusalKey(pod, kind));
  return found?.resourceVersion === pod.resourceVersion ? found : undefined;
}

/** A pod whose write was refused waits, and others come first; it takes no unit by what it can't begin. */
export function withRefusal(facts: PodFacts, refused: RefusalTimes | undefined, now: number): PodFacts {
  const kind = kindOfWrite(facts);
  const refusal = kind && refusalOf(refused, facts.pod, kind);
  if (refusal === undefined) return facts;
  const { message: detail, until } = refusal;
  if (now >= until) return { ...facts, refused: detail };
  return { ...facts, decision: { do: "wait", reason: "PatchRejected", detail, until } };
}

function kindOfWrite({ decision }: PodFacts): WriteKind | undefined {
  if (decision.do === "write") return decision.write.kind;
  return decision.do === "candidate" ? (isMark(decision) ? "mark" : "upgrade") : undefined;
}
