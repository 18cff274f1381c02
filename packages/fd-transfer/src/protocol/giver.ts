// SPDX-License-Identifier: Apache-2.0
import { guarding } from "./giver-guarding.ts";
import { handing } from "./giver-handing.ts";
import { standby } from "./giver-standby.ts";
import type { GiverState } from "./giver-state.ts";
import { end, keep, own, release, stay } from "./giver-state.ts";
import type { Timeouts } from "./limits.ts";
import type { Message } from "./message.ts";
import type { LinkEffect, LinkEvent, Observed, Step } from "./step.ts";
import type { WordName } from "./word.ts";

type Handler = (state: GiverState, event: LinkEvent, word: WordName | null) => Step<GiverState>;

const handlers: { readonly [P in GiverState["phase"]]: Handler } = {
  transfer: handing,
  preparing: handing,
  guarding,
  standby,
  returned: (state, event) =>
    ["eof", "timer", "broken"].includes(event.type) ? end(state, { kind: "returned" }) : stay(state),
  lingering,
  ended: stay,
};

export function startGiver(batches: number, epoch: bigint, welcome: Message, times: Timeouts): Step<GiverState> {
  return {
    state: {
      phase: "transfer",
      batches,
      inFlight: 0,
      prepared: false,
      epoch,
      yielded: false,
      borrowed: false,
      gone: false,
      leaving: false,
      reason: "",
      times,
    },
    effects: [
      { type: "send", message: welcome },
      { type: "sendBatch", batch: 0 },
      { type: "timer", name: "answer", ms: times.transferMs },
    ],
  };
}

/**
 * The old side of one hand-over, from WELCOME to the end of its time as standby.
 * Guarantee: until WORD says CONFIRMED, and after it says RETURNED, this side accepts or takes back at once.
 */
export function stepGiver(state: GiverState, event: LinkEvent, observed: Observed): Step<GiverState> {
  // What this side has just changed itself is the event's to handle.
  const noticed = event.type === "cas" && event.won ? stay(state) : noticeWord(state, observed.word);
  const next = handlers[noticed.state.phase](noticed.state, event, observed.word);
  return { state: next.state, effects: [...noticed.effects, ...next.effects] };
}

/** WORD decides and messages are hints: what the peer changed counts even when its message never comes. */
function noticeWord(state: GiverState, word: WordName | null): Step<GiverState> {
  const { phase } = state;
  if (word === "ABORTED" && (phase === "transfer" || phase === "preparing")) {
    return keep(state, "aborted", "the new side called it off", []);
  }
  if (word === "CONFIRMED" && phase === "guarding") return becomeStandby(state);
  if (word === "ROLLED" && phase === "guarding") return keep(state, "rolled", "the new side gave back", own("take"));
  // Also when everything from CONFIRMED on was missed, for example because the event loop stood still.
  if (word === "RELEASED" && (phase === "standby" || phase === "guarding")) return release(state, "released");
  // Only possible when the peer saw this connection end: it owns, so this side does not.
  if (word === "CONFIRMED" && phase === "lingering") return release(state, "released");
  return stay(state);
}

function becomeStandby(state: GiverState): Step<GiverState> {
  const next: GiverState = { ...state, phase: "standby" };
  const effects: LinkEffect[] = [{ type: "cancel", name: "guard" }];
  // The hint may have been lost together with ACCEPTING.
  if (!state.yielded && !state.borrowed) effects.push({ type: "stopAccepting" });
  effects.push({ type: "standby" });
  if (!state.leaving || state.borrowed) return { state: { ...next, yielded: true }, effects };
  const left = release(next, "left");
  return { state: left.state, effects: [...effects, ...left.effects] };
}

/** The loser of the decision closes first (R7); if it does not, it is released, so that it can never reclaim. */
function lingering(state: GiverState, event: LinkEvent, word: WordName | null): Step<GiverState> {
  if (event.type === "eof") return end(state, { kind: "kept" });
  if (event.type === "cas") return event.won ? end(state, { kind: "kept" }) : stay(state);
  if ((event.type === "timer" || event.type === "broken") && (word === "ABORTED" || word === "ROLLED")) {
    return { state, effects: [{ type: "cas", from: word, to: "RELEASED", epoch: false }] };
  }
  return stay(state);
}
