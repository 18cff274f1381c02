// SPDX-License-Identifier: Apache-2.0
import type { Timeouts } from "./limits.ts";
import type { Message } from "./message.ts";
import type { LinkEvent, Observed, Step } from "./step.ts";
import { guarding, holding } from "./taker-deciding.ts";
import { hello, transfer } from "./taker-entering.ts";
import { kept, releasing, yielding } from "./taker-owning.ts";
import type { TakerState } from "./taker-state.ts";
import { retry, stay, withdraw } from "./taker-state.ts";
import type { WordName } from "./word.ts";

type Handler = (state: TakerState, event: LinkEvent, word: WordName | null) => Step<TakerState>;

const handlers: { readonly [P in TakerState["phase"]]: Handler } = {
  hello,
  standingBy: hello,
  transfer,
  held: holding,
  probing: holding,
  committing: holding,
  guarding,
  kept,
  releasing,
  yielding,
  ended: stay,
};

export function startTaker(hello: Message, times: Timeouts): Step<TakerState> {
  return {
    state: { phase: "hello", batches: 0, next: 0, epoch: 0n, leaving: false, reason: "", times },
    effects: [
      { type: "send", message: hello },
      { type: "timer", name: "answer", ms: times.connectMs },
    ],
  };
}

/**
 * The new side of one hand-over, from HELLO to the end of its time as owner with a standby.
 * Guarantee: it accepts only after WORD says COMMITTED (or while the old side is silent), and owns for good only after
 * its own compare-and-swap to CONFIRMED.
 */
export function stepTaker(state: TakerState, event: LinkEvent, observed: Observed): Step<TakerState> {
  // What this side has just changed itself is the event's to handle.
  const noticed = event.type === "cas" && event.won ? stay(state) : noticeWord(state, observed);
  const next = handlers[noticed.state.phase](noticed.state, event, observed.word);
  return { state: next.state, effects: [...noticed.effects, ...next.effects] };
}

function noticeWord(state: TakerState, { word, eof }: Observed): Step<TakerState> {
  const { phase } = state;
  const holds = phase === "held" || phase === "probing" || phase === "committing";
  if (word === "COMMITTED" && phase === "committing") return enterGuard(state);
  // With EOF too the old side is dead and cannot go on: then the EOF reclaims (R7).
  if (word === "ABORTED" && holds && !eof) return withdraw(state, retry(state, "the old side called it off"));
  if (word === "ROLLED" && phase === "guarding" && !eof) return withdraw(state, retry(state, "the old side took back"));
  if (word === "RELEASED" && (holds || phase === "guarding")) {
    return withdraw(state, retry(state, "the old side gave up on this process"));
  }
  if (word === "RETURNED" && (phase === "kept" || phase === "releasing")) {
    return withdraw(state, retry(state, "the standby took back"));
  }
  return word === "RETURNED" && phase === "yielding" ? withdraw(state, { kind: "left" }) : stay(state);
}

function enterGuard(state: TakerState): Step<TakerState> {
  return {
    state: { ...state, phase: "guarding" },
    effects: [
      { type: "accept" },
      { type: "own", epoch: "read", confirmed: false },
      { type: "send", message: { type: "ACCEPTING" } },
      { type: "timer", name: "guard", ms: state.times.guardMs },
    ],
  };
}
