// SPDX-License-Identifier: Apache-2.0
import { borrow, end, giveBackBorrowed, own, release, stay } from "./giver-state.ts";
import type { GiverState } from "./giver-state.ts";
import type { LinkEffect, LinkEvent, Step } from "./step.ts";

/** CONFIRMED: the new side owns; this one takes back when that one dies or yields, until it is told to stop (R5). */
export function standby(state: GiverState, event: LinkEvent): Step<GiverState> {
  const takeBack = (more: Partial<GiverState>): Step<GiverState> => ({
    state: { ...state, ...more },
    effects: [{ type: "cas", from: "CONFIRMED", to: "RETURNED", epoch: true }],
  });
  switch (event.type) {
    case "eof":
      return takeBack({ gone: true });
    case "broken":
      return release(state, "released");
    case "silent":
      return borrow(state);
    case "heard":
      return state.leaving ? release(state, "left") : giveBackBorrowed(state);
    case "terminate":
      // The owner hangs: this side is the only one that accepts, so it does so to the end of its grace.
      return state.borrowed ? stay({ ...state, leaving: true }) : release(state, "left");
    case "graceEnds":
      return release(state, "left");
    case "cas":
      // Lost: `noticeWord` has seen RELEASED; or this is the roll-back lost to CONFIRMED, and the peer died since.
      if (!event.won) return state.gone ? takeBack({}) : stay(state);
      return returned(state, event.epoch);
    case "message":
      if (event.message.type === "YIELD") return takeBack({});
      if (event.message.type === "CLOSED")
        return { state, effects: [{ type: "closeListener", key: event.message.key }] };
      return stay(state);
    case "timer":
    case "adopted":
    case "claimed":
    case "probed":
    case "releaseStandby":
      break;
  }
  return stay(state);
}

function returned(state: GiverState, epoch: bigint): Step<GiverState> {
  const effects: LinkEffect[] = [...own(epoch), { type: "publish" }, { type: "watch", on: false }];
  const next: GiverState = { ...state, phase: "returned", borrowed: false };
  if (state.gone) {
    const ended = end(next, { kind: "returned" });
    return { state: ended.state, effects: [...effects, ...ended.effects] };
  }
  return {
    state: next,
    effects: [
      ...effects,
      { type: "send", message: { type: "YIELDED" } },
      { type: "timer", name: "linger", ms: state.times.lingerMs },
    ],
  };
}
