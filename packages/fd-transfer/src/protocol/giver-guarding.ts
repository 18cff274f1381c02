// SPDX-License-Identifier: Apache-2.0
import { borrow, giveBackBorrowed, keep, own, stay } from "./giver-state.ts";
import type { GiverState } from "./giver-state.ts";
import type { LinkEvent, Step } from "./step.ts";

/** COMMITTED: the new side owns on trial; its first failure takes the ownership back (R4). */
export function guarding(state: GiverState, event: LinkEvent): Step<GiverState> {
  const roll = (reason: string, more: Partial<GiverState> = {}): Step<GiverState> => ({
    state: { ...state, ...more, reason },
    effects: [{ type: "cas", from: "COMMITTED", to: "ROLLED", epoch: true }],
  });
  switch (event.type) {
    case "eof":
      return roll("the new side died or left during the guard", { gone: true });
    case "broken":
      return roll(event.reason);
    case "timer":
      return roll("the new side did not confirm in time");
    case "silent":
      return event.level === "dead" ? roll("the new side hangs") : borrow(state);
    case "heard":
      return giveBackBorrowed(state);
    case "terminate":
      return stay({ ...state, leaving: true });
    case "graceEnds":
      return roll("the grace ended during the guard");
    case "cas":
      return event.won ? keep(state, "rolled", state.reason, own(event.epoch)) : stay(state);
    case "message":
      if (event.message.type === "NACK") return roll(event.message.reason);
      if (event.message.type !== "ACCEPTING") return stay(state);
      return { state: { ...state, yielded: true }, effects: [{ type: "stopAccepting" }] };
    case "adopted":
    case "claimed":
    case "probed":
    case "releaseStandby":
      break;
  }
  return stay(state);
}
