// SPDX-License-Identifier: Apache-2.0

/** After this time the rest is planned anew, in milliseconds: pods that are done meanwhile are reset first. */
const TURN = 250;
/** Planning takes at most one part in this many of the time, however many pods there are. */
const PLAN_SHARE = 5;
/** A rest is no longer, in milliseconds: whoever pauses a rollout wants to see it. */
const LONGEST_REST = 1_000;
/** Writes of a turn, at least: who gets few of them at a time gets somewhere, too. */
const FEWEST = 8;

export interface TurnOptions {
  readonly now: () => number;
  /** How long the plan took to be made, in milliseconds. */
  readonly planningMs: number;
  /** What a plan made now would write, by name. */
  readonly planAgain: () => Pick<ReadonlySet<string>, "has">;
}

/**
 * How long one plan is good for. What comes late, because others came first or the API server wanted a pause, is written
 * only if a plan that is made at that moment wants it as well: budget and partition may be used up by now.
 */
export interface Turn {
  /** Whether this may be written now. `write` names it as in `planAgain`; absent: it needs no plan. */
  admits(write?: string): boolean;
  /** Nothing more is admitted; to be asked before anything that is left has to wait for its write. */
  isOver(): boolean;
  /** Something was not admitted: the SidecarSet has to be looked at again. */
  readonly hasLeft: boolean;
}

/**
 * How long to wait with the next plan, in milliseconds, so that what happens to many pods meanwhile is planned for
 * together. A turn with writes was long enough.
 */
export function restAfter(planningMs: number, sincePlannedMs: number): number {
  return Math.min(LONGEST_REST, Math.max(0, planningMs * (PLAN_SHARE - 1) - sincePlannedMs));
}

export function beginTurn({ now, planningMs, planAgain }: TurnOptions): Turn {
  const endAfter = (planning: number): number => now() + Math.max(TURN, planning * (PLAN_SHARE - 1));
  let endsAt = endAfter(planningMs);
  let wanted: Pick<ReadonlySet<string>, "has"> | undefined;
  let admitted = 0;
  let hasLeft = false;
  const leave = (): false => {
    hasLeft = true;
    return false;
  };
  const isOver = (): boolean => {
    if (now() < endsAt || admitted < FEWEST) return false;
    hasLeft = true;
    return true;
  };
  return {
    isOver,
    admits: (write) => {
      if (isOver()) return false;
      const at = now();
      if (at >= endsAt && write !== undefined) {
        wanted = planAgain();
        endsAt = endAfter(now() - at);
      }
      if (write !== undefined && wanted?.has(write) === false) return leave();
      admitted++;
      return true;
    },
    get hasLeft() {
      return hasLeft;
    },
  };
}
