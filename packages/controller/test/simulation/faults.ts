// SPDX-License-Identifier: Apache-2.0
import type { Random } from "./random.ts";

/** How unkind network, API server and nodes are in one run. Probabilities are per call, event or write. */
export interface Weather {
  /** A call is answered by 429, 500 or 503, or a patch by 409, and nothing is done. */
  readonly refused: number;
  /** The connection breaks before the call has arrived. */
  readonly cutBefore: number;
  /** It is carried out, and the answer is lost. */
  readonly cutAfter: number;
  /** A call or its answer takes up to `SLOW_CALL`. */
  readonly slow: number;
  /** A watch event gets lost; later the stream ends with 410. */
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  /** A watch falls behind by up to 30 s. */
  readonly stalled: number;
  readonly streamCut: number;
  /** A list of SidecarSets shows how they were some changes ago. */
  readonly staleList: number;
  /** The process is killed after a write of a pod, before it hears of it. */
  readonly crash: number;
}

export const CALM: Weather = {
  refused: 0,
  cutBefore: 0,
  cutAfter: 0,
  slow: 0,
  lost: 0,
  doubled: 0,
  reordered: 0,
  stalled: 0,
  streamCut: 0,
  staleList: 0,
  crash: 0,
};

/** In milliseconds, each way. Less than the pause between two leaders, as clients give up sooner than a lease is free. */
export const SLOW_CALL = 3_000;

const LIKELY: Weather = {
  refused: 0.05,
  cutBefore: 0.02,
  cutAfter: 0.1,
  slow: 0.1,
  lost: 0.02,
  doubled: 0.1,
  reordered: 0.1,
  stalled: 0.03,
  streamCut: 0.01,
  staleList: 0.3,
  crash: 0.15,
};

/** Some of the faults, so that runs with one kind, with many and with none all occur. */
export function weatherOf(random: Random): Weather {
  const share = random.pick([0, 0.2, 0.5, 1]);
  const entries = Object.entries(LIKELY).map(([fault, probability]) => [
    fault,
    random.chance(share) ? probability * random.pick([0.3, 1, 3]) : 0,
  ]);
  return Object.fromEntries(entries) as Weather;
}
