// SPDX-License-Identifier: Apache-2.0
import { keep, stay } from "./giver-state.ts";
import type { GiverState } from "./giver-state.ts";
import type { Message } from "./message.ts";
import type { LinkEvent, Step } from "./step.ts";

/** WELCOME to COMMIT: this side owns and accepts; whatever goes wrong, it stays so. */
export function handing(state: GiverState, event: LinkEvent): Step<GiverState> {
  const abort = (reason: string, more: Partial<GiverState> = {}): Step<GiverState> => ({
    state: { ...state, ...more, reason },
    effects: [{ type: "cas", from: "PREP", to: "ABORTED", epoch: false }],
  });
  switch (event.type) {
    case "eof":
      return abort("the new side died or left", { gone: true });
    case "broken":
      return abort(event.reason);
    case "graceEnds":
      return abort("the grace ended before COMMIT");
    case "terminate":
      return stay({ ...state, leaving: true });
    case "timer":
      return abort(event.name === "ready" ? "the new side was not ready in time" : "the new side did not answer");
    case "cas":
      if (event.to === "ABORTED") return event.won ? keep(state, "aborted", state.reason, []) : stay(state);
      if (!event.won) return stay(state);
      return {
        state: { ...state, phase: "guarding", epoch: event.epoch },
        effects: [
          { type: "cancel", name: "ready" },
          { type: "disown" },
          { type: "send", message: { type: "COMMITTED", epoch: event.epoch } },
          { type: "watch", on: true },
          { type: "timer", name: "guard", ms: state.times.guardDeadlineMs },
        ],
      };
    case "message":
      return handingMessage(state, event.message, abort);
    case "silent":
    case "heard":
    case "adopted":
    case "claimed":
    case "probed":
    case "releaseStandby":
      break;
  }
  return stay(state);
}

function handingMessage(
  state: GiverState,
  message: Message,
  abort: (reason: string) => Step<GiverState>,
): Step<GiverState> {
  if (message.type === "NACK") return abort(message.reason);
  if (message.type === "FDS_ACK") return message.ok ? acked(state, message.batch, abort) : abort(message.reason);
  if (message.type === "PREPARED" && state.phase === "preparing") return stay({ ...state, prepared: true });
  if (message.type === "COMMIT" && state.prepared && message.epoch === state.epoch) {
    return { state, effects: [{ type: "cas", from: "PREP", to: "COMMITTED", epoch: true }] };
  }
  return abort(`${message.type} out of order`);
}

/** One batch is in flight at a time (K9). */
function acked(state: GiverState, acked: number, abort: (reason: string) => Step<GiverState>): Step<GiverState> {
  if (state.phase !== "transfer" || acked !== state.inFlight) return abort("FDS_ACK out of order");
  const batch = acked + 1;
  if (batch < state.batches) {
    return {
      state: { ...state, inFlight: batch },
      effects: [
        { type: "sendBatch", batch },
        { type: "timer", name: "answer", ms: state.times.transferMs },
      ],
    };
  }
  return {
    state: { ...state, phase: "preparing" },
    effects: [
      { type: "cancel", name: "answer" },
      { type: "timer", name: "ready", ms: state.times.readyMs },
    ],
  };
}
