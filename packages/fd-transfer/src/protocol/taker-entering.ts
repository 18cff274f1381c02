// SPDX-License-Identifier: Apache-2.0
import type { Message } from "./message.ts";
import type { LinkEffect, LinkEvent, Step } from "./step.ts";
import type { TakerState } from "./taker-state.ts";
import { end, retry, stay, withdraw } from "./taker-state.ts";
import type { WordName } from "./word.ts";

/** Long enough for an owner that is dying to be gone, and not to ask in a tight loop. */
const SOON_MS = 10;

/** HELLO to WELCOME, or standing by after REFUSE. */
export function hello(state: TakerState, event: LinkEvent): Step<TakerState> {
  switch (event.type) {
    case "terminate":
      return end(state, { kind: "left" });
    case "eof":
      return end(state, { kind: "retry", afterMs: SOON_MS, reason: "the owner closed the connection" });
    case "broken":
      return end(state, { kind: "retry", afterMs: state.times.backOffMs, reason: event.reason });
    case "timer":
      // A hung owner is never stolen from (R11): ask again.
      return end(state, { kind: "retry", afterMs: state.times.backOffMs, reason: "the owner does not answer" });
    case "message":
      return state.phase === "hello" ? answer(state, event.message) : stay(state);
    case "silent":
    case "heard":
    case "cas":
    case "graceEnds":
    case "adopted":
    case "claimed":
    case "probed":
    case "releaseStandby":
      break;
  }
  return stay(state);
}

function answer(state: TakerState, message: Message): Step<TakerState> {
  if (message.type === "WELCOME") {
    return {
      state: { ...state, phase: "transfer", batches: message.batches, epoch: message.epoch },
      effects: [{ type: "timer", name: "answer", ms: state.times.transferMs }],
    };
  }
  if (message.type === "BUSY") {
    return end(state, { kind: "retry", afterMs: message.retryAfterMs, reason: `busy with ${message.by}` });
  }
  if (message.type === "REFUSE" && message.code === "standby") {
    return {
      state: { ...state, phase: "standingBy" },
      effects: [{ type: "cancel", name: "answer" }, { type: "waiting" }],
    };
  }
  if (message.type === "REFUSE") return end(state, { kind: "refused", code: message.code, reason: message.reason });
  return end(state, { kind: "retry", afterMs: state.times.backOffMs, reason: `${message.type} answers HELLO` });
}

/** WELCOME to the last ack. */
export function transfer(state: TakerState, event: LinkEvent, word: WordName | null): Step<TakerState> {
  // Nothing is whole yet: a reclaim would lose listeners, so every failure ends in a fresh start.
  const fail = (reason: string, nack: boolean): Step<TakerState> => {
    const effects: LinkEffect[] = [];
    if (nack) effects.push({ type: "send", message: { type: "NACK", reason } });
    if (word === "PREP") effects.push({ type: "cas", from: "PREP", to: "ABORTED", epoch: false });
    const left = withdraw(state, state.leaving ? { kind: "left" } : retry(state, reason));
    return { state: left.state, effects: [...effects, ...left.effects] };
  };
  switch (event.type) {
    case "eof":
      return fail("the old side died before all descriptors had come", false);
    case "broken":
      return fail(event.reason, true);
    case "timer":
      return fail("the old side stopped in the middle of the transfer", true);
    case "terminate":
      return fail("told to stop", true);
    case "adopted":
      return adopted(state, event, fail);
    case "message":
      if (event.message.type === "NACK") return fail(event.message.reason, false);
      return fds(state, event.message, fail);
    case "silent":
    case "heard":
    case "cas":
    case "graceEnds":
    case "claimed":
    case "probed":
    case "releaseStandby":
      break;
  }
  return stay(state);
}

type Fail = (reason: string, nack: boolean) => Step<TakerState>;

function fds(state: TakerState, message: Message, fail: Fail): Step<TakerState> {
  if (message.type !== "FDS") return fail(`${message.type} during the transfer`, true);
  if (message.batch !== state.next) return fail(`batch ${message.batch} instead of ${state.next}`, true);
  return { state, effects: [{ type: "adopt", message }] };
}

function adopted(state: TakerState, event: Extract<LinkEvent, { type: "adopted" }>, fail: Fail): Step<TakerState> {
  const { batch, count, failure } = event;
  if (failure !== null) return fail(failure, true);
  const ack: LinkEffect = { type: "send", message: { type: "FDS_ACK", batch, count, ok: true, reason: "" } };
  if (batch + 1 < state.batches) {
    return {
      state: { ...state, next: batch + 1 },
      effects: [ack, { type: "timer", name: "answer", ms: state.times.transferMs }],
    };
  }
  return {
    state: { ...state, phase: "held", next: batch + 1 },
    effects: [ack, { type: "cancel", name: "answer" }, { type: "held" }],
  };
}
