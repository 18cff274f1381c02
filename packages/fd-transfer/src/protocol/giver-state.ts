// SPDX-License-Identifier: Apache-2.0
import type { Timeouts } from "./limits.ts";
import type { LinkEffect, Outcome, Step } from "./step.ts";

/** What the old side knows between two events. */
export interface GiverState {
  readonly phase: "transfer" | "preparing" | "guarding" | "standby" | "returned" | "lingering" | "ended";
  readonly batches: number;
  readonly inFlight: number;
  readonly prepared: boolean;
  /** The epoch announced in WELCOME; COMMIT must repeat it. */
  readonly epoch: bigint;
  /** ACCEPTING came: Node's handles are closed. */
  readonly yielded: boolean;
  /** Accepting without owning, because the peer is silent (R5). */
  readonly borrowed: boolean;
  /** The peer is at EOF. */
  readonly gone: boolean;
  /** Told to stop (R10). */
  readonly leaving: boolean;
  /** Why the compare-and-swap that is under way was asked for. */
  readonly reason: string;
  readonly times: Timeouts;
}

export function stay(state: GiverState): Step<GiverState> {
  return { state, effects: [] };
}

export function own(epoch: bigint | "take"): LinkEffect[] {
  // Accept first, then the rest: accepting is not owning, and the queue waits.
  return [{ type: "accept" }, { type: "own", epoch, confirmed: true }];
}

/** This side is the owner as before. */
export function keep(
  state: GiverState,
  how: "aborted" | "rolled",
  reason: string,
  first: LinkEffect[],
): Step<GiverState> {
  const effects: LinkEffect[] = [
    ...first,
    { type: "watch", on: false },
    { type: "cancel", name: "answer" },
    { type: "cancel", name: "ready" },
    { type: "cancel", name: "guard" },
    { type: "failed", how, reason },
  ];
  const next: GiverState = { ...state, phase: "lingering", borrowed: false };
  if (state.gone) {
    const ended = end(next, { kind: "kept" });
    return { state: ended.state, effects: [...effects, ...ended.effects] };
  }
  return {
    state: next,
    effects: [
      ...effects,
      { type: "send", message: { type: "NACK", reason } },
      { type: "timer", name: "linger", ms: state.times.lingerMs },
    ],
  };
}

export function borrow(state: GiverState): Step<GiverState> {
  if (state.borrowed || !state.yielded) return stay(state);
  return { state: { ...state, borrowed: true }, effects: [{ type: "accept" }] };
}

export function giveBackBorrowed(state: GiverState): Step<GiverState> {
  if (!state.borrowed) return stay(state);
  return { state: { ...state, borrowed: false }, effects: [{ type: "stopAccepting" }] };
}

export function release(state: GiverState, kind: "released" | "left"): Step<GiverState> {
  const ended = end(state, { kind });
  return { state: ended.state, effects: [{ type: "stopAccepting" }, { type: "letGo" }, ...ended.effects] };
}

export function end(state: GiverState, outcome: Outcome): Step<GiverState> {
  return { state: { ...state, phase: "ended" }, effects: [{ type: "close" }, { type: "ended", outcome }] };
}
