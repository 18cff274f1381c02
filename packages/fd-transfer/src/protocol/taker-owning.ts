// SPDX-License-Identifier: Apache-2.0
import type { LinkEvent, Step } from "./step.ts";
import type { TakerState } from "./taker-state.ts";
import { end, stay, withdraw } from "./taker-state.ts";

/** Owner, the old side holds itself ready. */
export function kept(state: TakerState, event: LinkEvent): Step<TakerState> {
  switch (event.type) {
    case "eof":
      return end(state, { kind: "alone" });
    case "broken":
    case "releaseStandby":
      return { state, effects: [{ type: "cas", from: "CONFIRMED", to: "RELEASED", epoch: false }] };
    case "cas":
      // Lost: RETURNED, and `noticeWord` has withdrawn.
      if (!event.won) return stay(state);
      return {
        state: { ...state, phase: "releasing" },
        effects: [
          { type: "send", message: { type: "RELEASE" } },
          { type: "timer", name: "linger", ms: state.times.lingerMs },
        ],
      };
    case "terminate":
    case "graceEnds":
      return {
        state: { ...state, phase: "yielding", leaving: true },
        effects: [
          { type: "send", message: { type: "YIELD" } },
          { type: "timer", name: "yield", ms: state.times.yieldMs },
        ],
      };
    case "message":
    case "timer":
    case "silent":
    case "heard":
    case "adopted":
    case "claimed":
    case "probed":
      break;
  }
  return stay(state);
}

/** Told to stop: accept until the standby has taken back (R10). */
export function yielding(state: TakerState, event: LinkEvent): Step<TakerState> {
  // The standby died first: this side is the only one again, and accepts to the end of its grace.
  if (event.type === "eof") return end(state, { kind: "alone" });
  // Closing the connection does the same as YIELD.
  if (event.type === "timer" || event.type === "broken") return withdraw(state, { kind: "left" });
  return stay(state);
}

/** A next HELLO waits (R6): the standby closes, or is left behind. */
export function releasing(state: TakerState, event: LinkEvent): Step<TakerState> {
  return event.type === "eof" || event.type === "timer" ? end(state, { kind: "alone" }) : stay(state);
}
