// SPDX-License-Identifier: Apache-2.0
import type { LinkEvent, Step } from "./step.ts";
import type { TakerState } from "./taker-state.ts";
import { callOff, end, retry, stay, withdraw } from "./taker-state.ts";
import type { WordName } from "./word.ts";

/** PREPARED names listeners for people; all of many would not fit in one frame. */
const NAMED = 100;

type Swapped = Extract<LinkEvent, { readonly type: "cas" }>;

/** The last ack to COMMITTED: this side holds everything and accepts nothing, unless the old side is silent. */
export function holding(state: TakerState, event: LinkEvent, word: WordName | null): Step<TakerState> {
  const abort = (reason: string, more: Partial<TakerState> = {}): Step<TakerState> => ({
    state: { ...state, ...more, reason },
    effects: [{ type: "cas", from: "PREP", to: "ABORTED", epoch: false }],
  });
  switch (event.type) {
    case "eof":
      return reclaim(state, word);
    case "broken":
      return abort(event.reason);
    case "terminate":
    case "graceEnds":
      return abort("told to stop", { leaving: true });
    case "claimed": {
      const adopted = event.adopted.slice(0, NAMED);
      const closed = event.closed.slice(0, NAMED);
      return {
        state: { ...state, phase: "probing" },
        effects: [{ type: "send", message: { type: "PREPARED", adopted, closed } }, { type: "probe" }],
      };
    }
    case "probed":
      if (event.failure !== null) return abort(event.failure);
      return {
        state: { ...state, phase: "committing" },
        effects: [
          { type: "watch", on: true },
          { type: "send", message: { type: "COMMIT", epoch: state.epoch } },
        ],
      };
    case "silent":
      // This may be the only healthy side (R13): accept, keep waiting, do not withdraw.
      return state.phase === "committing" ? { state, effects: [{ type: "accept" }] } : stay(state);
    case "cas":
      return afterHolding(state, event);
    case "message":
      if (event.message.type !== "NACK") return stay(state);
      return abort(event.message.reason);
    case "timer":
    case "heard":
    case "adopted":
    case "releaseStandby":
      break;
  }
  return stay(state);
}

function afterHolding(state: TakerState, event: Swapped): Step<TakerState> {
  if (event.to === "CONFIRMED") return event.won ? reclaimed(state, event.epoch) : stay(state);
  // A lost ABORTED means ABORTED by the old side, or COMMITTED; `noticeWord` has acted on both.
  return event.won ? callOff(state) : stay(state);
}

/** COMMITTED: this side owns on trial (R3). */
export function guarding(state: TakerState, event: LinkEvent, word: WordName | null): Step<TakerState> {
  const giveBack = (reason: string, more: Partial<TakerState> = {}): Step<TakerState> => ({
    state: { ...state, ...more, reason },
    effects: [{ type: "cas", from: "COMMITTED", to: "ROLLED", epoch: false }],
  });
  switch (event.type) {
    case "eof":
      return reclaim(state, word);
    case "timer":
      return { state, effects: [{ type: "probe" }] };
    case "probed":
      if (event.failure !== null) return giveBack(event.failure);
      return { state, effects: [{ type: "cas", from: "COMMITTED", to: "CONFIRMED", epoch: false }] };
    case "terminate":
    case "graceEnds":
      return giveBack("told to stop during the guard", { leaving: true });
    case "broken":
      return giveBack(event.reason);
    case "message":
      // COMMITTED and NACK are hints: `noticeWord` has acted.
      return stay(state);
    case "cas":
      return afterGuard(state, event);
    case "silent":
    case "heard":
    case "adopted":
    case "claimed":
    case "releaseStandby":
      break;
  }
  return stay(state);
}

function afterGuard(state: TakerState, event: Swapped): Step<TakerState> {
  if (event.to === "ABORTED") {
    // The stop met a COMMIT that had just succeeded.
    if (!state.leaving) return stay(state);
    return { state, effects: [{ type: "cas", from: "COMMITTED", to: "ROLLED", epoch: false }] };
  }
  if (!event.won) return stay(state);
  if (event.to === "CONFIRMED") {
    // With an epoch it was a reclaim: the old side is dead.
    if (event.epoch > 0n) return reclaimed(state, event.epoch);
    return {
      state: { ...state, phase: "kept" },
      effects: [
        { type: "watch", on: false },
        { type: "own", epoch: "read", confirmed: true },
        { type: "send", message: { type: "GUARD_OK" } },
        { type: "publish" },
      ],
    };
  }
  return callOff(state);
}

/** The old side is dead: whatever the word says except RELEASED, this side may own. */
function reclaim(state: TakerState, word: WordName | null): Step<TakerState> {
  if (word === null || word === "RELEASED" || word === "RETURNED" || word === "CONFIRMED") {
    return withdraw(state, retry(state, "the old side left"));
  }
  return { state, effects: [{ type: "cas", from: word, to: "CONFIRMED", epoch: true }] };
}

function reclaimed(state: TakerState, epoch: bigint): Step<TakerState> {
  const ended = end({ ...state, epoch }, { kind: "reclaimed" });
  return {
    state: ended.state,
    effects: [{ type: "own", epoch, confirmed: true }, { type: "watch", on: false }, ...ended.effects],
  };
}
