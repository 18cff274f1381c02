// SPDX-License-Identifier: Apache-2.0
import { ApiError } from "@hot/kube";
import { retryToken, type SidecarSet } from "@hot/spec";
import type { PodProjection } from "../plan/pod-projection.ts";
import { refusalKey } from "../plan/refused.ts";
import type { Refusal, RefusalTimes, WriteKind } from "../plan/snapshot.ts";

/** What the API server would not have, by SidecarSet. A refusal is forgotten when nobody has tried again for a while. */
export interface Refusals {
  /** Those that count for what the SidecarSet wants now; all others are forgotten. */
  of(name: string, sidecarSet: SidecarSet | undefined): RefusalTimes;
  /** Of the SidecarSet that was last asked about. */
  refuse(name: string, pod: PodProjection, kind: WriteKind, error: unknown): void;
}

interface Known {
  readonly wish: string;
  readonly refused: Map<string, Refusal>;
}

/** Whoever allows it meanwhile should not have to wait for long. In milliseconds. */
const AGAIN = 60_000;
/** Where very many are refused, trying them again must not keep the others from their turn. In milliseconds. */
const SHARE = 50;
/** A pod that is gone is not tried again. In milliseconds. */
const FORGOTTEN = 60_000;
/** A status and a great many pods keep it. */
const LONGEST = 300;

export function createRefusals(now: () => number): Refusals {
  const known = new Map<string, Known>();
  return {
    of: (name, sidecarSet) => {
      const wish = wishOf(sidecarSet);
      const before = known.get(name);
      if (before === undefined || before.wish !== wish) {
        const refused = new Map<string, Refusal>();
        if (sidecarSet === undefined) known.delete(name);
        else known.set(name, { wish, refused });
        return refused;
      }
      for (const [key, { until }] of before.refused) if (now() > until + FORGOTTEN) before.refused.delete(key);
      if (sidecarSet === undefined && before.refused.size === 0) known.delete(name);
      return before.refused;
    },
    refuse: (name, pod, kind, error) => {
      const one = known.get(name) ?? { wish: wishOf(undefined), refused: new Map<string, Refusal>() };
      known.set(name, one);
      const key = refusalKey(pod, kind);
      one.refused.delete(key);
      const until = now() + Math.max(AGAIN, one.refused.size * SHARE);
      one.refused.set(key, { resourceVersion: pod.resourceVersion, message: reasonOf(error), until });
    },
  };
}

/** Whether an answer means that the same request will be refused again. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && !PASSING.has(error.status);
}

/** Not found, too slow, out of date, too many. */
const PASSING = new Set([404, 408, 409, 429]);

/** What the API server has said, without what was asked of it. */
export function reasonOf(error: unknown): string {
  const own = error instanceof Error ? error.message : String(error);
  const text = ((error instanceof ApiError && error.body.message) || own).replace(/[.\s]+$/, "");
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function wishOf(sidecarSet: SidecarSet | undefined): string {
  if (sidecarSet === undefined) return "";
  const { uid, generation } = sidecarSet.metadata;
  return JSON.stringify([uid, generation, retryToken(sidecarSet.metadata)]);
}
