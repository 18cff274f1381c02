// SPDX-License-Identifier: Apache-2.0
import { findCondition } from "./conditions.ts";
import { RETRY_ANNOTATION } from "./names.ts";
import type { ObjectMeta } from "./object-meta.ts";
import type { SidecarSet } from "./sidecar-set.ts";

/** Tokens are noted in pods and in the status, so they must be short. */
const LONGEST = 64;

/**
 * What `hot.internal/retry` says: an opaque text. Another one than before asks for what has failed to be tried again,
 * once; none, or an empty one, asks for nothing. Of a long text only the first 64 characters count.
 */
export function retryToken({ annotations }: Pick<ObjectMeta, "annotations">): string {
  return (annotations?.[RETRY_ANNOTATION] ?? "").slice(0, LONGEST);
}

/**
 * Whether the rollout has stalled for this very generation and no retry was asked for since. It stays so even if the
 * pods that failed are gone, until this very revision has proved good.
 */
export function isStalled({ metadata, status }: SidecarSet): boolean {
  const stalled = findCondition(status?.conditions, "Stalled");
  const token = retryToken(metadata);
  return (
    stalled?.status === "True" &&
    stalled.observedGeneration === (metadata.generation ?? 0) &&
    (token === "" || token === status?.observedRetry)
  );
}
