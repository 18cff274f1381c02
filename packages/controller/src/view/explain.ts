// SPDX-License-Identifier: Apache-2.0
import { reasonCode } from "@hot/spec";
import type { PodView } from "./tree.ts";

/** Why a pod is in its state, and what to do about it: the same words on every surface. */
export interface Explanation {
  /** `HOT1203` */
  readonly code: string;
  readonly reason: string;
  readonly sentence: string;
  readonly fix: string;
  /** Names and numbers; may be empty. */
  readonly detail: string;
}

export function explainPod({ reason, detail }: Pick<PodView, "reason" | "detail">): Explanation {
  const { code, sentence, fix } = reasonCode(reason);
  return { code, reason, sentence, fix, detail };
}
