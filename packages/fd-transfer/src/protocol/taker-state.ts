// SPDX-License-Identifier: Apache-2.0
import type { Timeouts } from "./limits.ts";
import type { LinkEffect, Outcome, Step } from "./step.ts";

/** What the new side knows between two events. */
export interface TakerState {
  readonly phase:
    | "hello"
    | "standingBy"
    | "transfer"
    | "held"
    | "probing"
    | "committing"
    | "guarding"
    | "kept"
    | "releasing"
    | "yielding"
    | "ended";
  readonly batches: number;
  readonly next: number;
  readonly epoch: bigint;
  readonly leaving: boolean;
  readonly reason: string;
  readonly times: Timeouts;
}

export function stay(state: TakerState): Step<TakerState> {
  return { state, effects: [] };
}

export function end(state: TakerState, outcome: Outcome): Step<TakerState> {
  return { state: { ...state, phase: "ended" }, effects: [{ type: "close" }, { type: "ended", outcome }] };
}

/** Accepts no more, closes dups and L, then the connection (R7). */
export function withdraw(state: TakerState, outcome: Outcome): Step<TakerState> {
  const ended = end(state, outcome);
  return { state: ended.state, effects: [{ type: "stopAccepting" }, { type: "letGo" }, ...ended.effects] };
}

export function retry(state: TakerState, reason: string): Outcome {
  return { kind: "retry", afterMs: state.times.backOffMs, reason: state.reason === "" ? reason : state.reason };
}

/** Withdraws after its own decision; the NACK wakes the old side up, which accepts before this side has closed. */
export function callOff(state: TakerState): Step<TakerState> {
  const left = withdraw(state, state.leaving ? { kind: "left" } : retry(state, state.reason));
  const nack: LinkEffect = { type: "send", message: { type: "NACK", reason: state.reason } };
  return { state: left.state, effects: [nack, ...left.effects] };
}
