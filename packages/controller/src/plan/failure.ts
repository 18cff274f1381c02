// SPDX-License-Identifier: Apache-2.0
import { retryToken, type RolloutReason, type SidecarSet } from "@hot/spec";
import { toRfc3339 } from "../instant.ts";
import type { HotPair } from "./hot-pair.ts";
import type { PodProjection } from "./pod-projection.ts";
import type { UpgradeFailure, UpgradeRecord } from "./record.ts";
import { hashOf, podHash } from "./upgradable.ts";

/** What the records of a pod say about earlier attempts at the present generation and revision. */
export interface Attempts {
  /** Why it has failed, and is not tried again. */
  readonly failed?: string;
  /** It has failed, and somebody has asked since for it to be tried again: this very pod, or all of the SidecarSet. */
  readonly retried?: "pod" | "sidecarSet";
}

/** A failure holds until the SidecarSet is changed, or a retry is asked for that the failure does not know. */
export function attemptsOf(
  pod: PodProjection,
  pairs: readonly HotPair[],
  sidecarSet: SidecarSet | undefined,
): Attempts {
  if (sidecarSet === undefined) return {};
  const generation = sidecarSet.metadata.generation ?? 0;
  const failures = pairs.flatMap((pair) => pair.record?.failed ?? []).filter((one) => one.generation === generation);
  if (failures.length === 0) return {};
  const hash = hashOf(sidecarSet);
  const same = failures.filter((one) => one.hash === hash);
  const tokens = tokensOf(pod, sidecarSet);
  const counts = same.find((one) => isForAll(one, tokens) && isForPod(one, tokens));
  if (counts !== undefined) return { failed: counts.reason };
  if (same.length === 0) return {};
  return { retried: same.some((one) => !isForPod(one, tokens)) ? "pod" : "sidecarSet" };
}

type Tokens = Pick<UpgradeFailure, "retry" | "podRetry">;

/** What is noted of an upgrade that fails now. */
export function failureOf(
  pod: PodProjection,
  { sidecarSet: name }: UpgradeRecord,
  reason: RolloutReason,
  sidecarSet: SidecarSet | undefined,
  now: number,
): UpgradeFailure {
  return {
    hash: podHash(pod, name),
    generation: sidecarSet?.metadata.generation ?? 0,
    reason,
    at: toRfc3339(now),
    ...tokensOf(pod, sidecarSet),
  };
}

/** The retries that were asked for, as a failure notes them. */
export function tokensOf(pod: PodProjection, sidecarSet: SidecarSet | undefined): Tokens {
  const retry = sidecarSet === undefined ? "" : retryToken(sidecarSet.metadata);
  return { ...(retry !== "" && { retry }), ...(pod.retry !== undefined && { podRetry: pod.retry }) };
}

function isForAll(failure: Tokens, tokens: Tokens): boolean {
  return tokens.retry === undefined || failure.retry === tokens.retry;
}

function isForPod(failure: Tokens, tokens: Tokens): boolean {
  return tokens.podRetry === undefined || failure.podRetry === tokens.podRetry;
}
