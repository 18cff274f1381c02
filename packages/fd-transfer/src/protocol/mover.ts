// SPDX-License-Identifier: Apache-2.0
import type { Message } from "./message.ts";

/** What the side that drains knows between two events. */
export interface MoverState {
  /** `waiting`: one batch is on its way. */
  readonly phase: "asking" | "open" | "waiting" | "ended";
  readonly batch: number;
  readonly inFlight: number;
  /** Kinds that the owner takes. */
  readonly keys: readonly string[];
  /** How many more it can take. */
  readonly budget: number;
  readonly stopping: boolean;
}

export type MoverEvent =
  | { readonly type: "message"; readonly message: Message }
  /** The owner closed or died; all it had sent has been handled before. */
  | { readonly type: "eof" }
  | { readonly type: "broken" }
  /** MOVE was not answered in time. */
  | { readonly type: "timer" }
  /** So many are packed, and nobody reads them. */
  | { readonly type: "packed"; readonly count: number }
  /** This process drains no more, or is about to end. */
  | { readonly type: "stop" };

export type MoverEffect =
  | { readonly type: "send"; readonly message: Message }
  | { readonly type: "timer"; readonly ms: number }
  | { readonly type: "cancel" }
  /** Look for connections that can move, at most so many, after a rest. */
  | { readonly type: "look"; readonly max: number; readonly afterMs: number }
  | { readonly type: "sendBatch"; readonly batch: number }
  /** The owner reads those taken; the others are adopted here. */
  | { readonly type: "settle"; readonly taken: readonly boolean[] }
  /** The owner never read any of them: all are adopted here. */
  | { readonly type: "takeBack" }
  /** It cannot be known who reads them: they are closed here. */
  | { readonly type: "giveUp" }
  | { readonly type: "close" }
  /** Null = for good. */
  | { readonly type: "ended"; readonly againMs: number | null };

export interface MoverStep {
  readonly state: MoverState;
  readonly effects: readonly MoverEffect[];
}

/** So few at once that neither process stands still for long while it lifts or adopts them. */
const MOST_AT_ONCE = 32;
/** While the owner is busy with others, or may be: what is on its way waits until all of its batch are read. */
const FEW_AT_ONCE = 8;
/** Whatever the owner asks for: connections that rest are served here, but this process may have a deadline. */
const LONGEST_REST_MS = 250;
const SOON_MS = 20;
const LATER_MS = 1_000;

export function startMover(move: Message, connectMs: number): MoverStep {
  return {
    state: { phase: "asking", batch: 0, inFlight: 0, keys: [], budget: 0, stopping: false },
    effects: [
      { type: "send", message: move },
      { type: "timer", ms: connectMs },
    ],
  };
}

/**
 * Passes connections to the owner, one batch at a time.
 * Guarantee: at most one process reads a connection. What is on its way is read here again only after the owner said
 * that it does not take it, or ended without a word: it answers before it reads.
 */
export function stepMover(state: MoverState, event: MoverEvent): MoverStep {
  return handlers[state.phase](state, event);
}

const handlers: { readonly [P in MoverState["phase"]]: (state: MoverState, event: MoverEvent) => MoverStep } = {
  asking,
  open,
  waiting,
  ended: (state) => ({ state, effects: [] }),
};

function asking(state: MoverState, event: MoverEvent): MoverStep {
  if (event.type === "stop") return end(state, null);
  if (event.type === "eof") return end(state, SOON_MS);
  if (event.type !== "message") return end(state, LATER_MS);
  const { message } = event;
  if (message.type === "BUSY") return end(state, message.retryAfterMs);
  if (message.type !== "MOVING") return end(state, LATER_MS);
  return goOn({ ...state, keys: message.keys, budget: message.fdBudget }, FEW_AT_ONCE, 0, [{ type: "cancel" }]);
}

function open(state: MoverState, event: MoverEvent): MoverStep {
  if (event.type === "stop") return end(state, null);
  if (event.type === "eof") return end(state, SOON_MS);
  if (event.type === "packed") {
    return {
      state: { ...state, phase: "waiting", inFlight: event.count, budget: state.budget - event.count },
      effects: [{ type: "sendBatch", batch: state.batch }],
    };
  }
  return event.type === "timer" ? { state, effects: [] } : end(state, LATER_MS);
}

function waiting(state: MoverState, event: MoverEvent): MoverStep {
  // Without a deadline: an owner that hangs may still take them when it wakes up.
  if (event.type === "stop") return { state: { ...state, stopping: true }, effects: [] };
  if (event.type === "eof") return end(state, state.stopping ? null : SOON_MS, [{ type: "takeBack" }]);
  if (event.type === "broken") return end(state, state.stopping ? null : LATER_MS, [{ type: "giveUp" }]);
  if (event.type !== "message") return { state, effects: [] };
  const { message } = event;
  if (message.type !== "CONN_ACK" || message.batch !== state.batch || message.taken.length !== state.inFlight) {
    return end(state, LATER_MS, [{ type: "giveUp" }]);
  }
  const settle: MoverEffect = { type: "settle", taken: message.taken };
  const next = { ...state, batch: (state.batch + 1) & 0xffff, inFlight: 0 };
  if (state.stopping) return end(next, null, [settle]);
  // An owner that takes nothing does not own any more, or has no room: ask again later.
  if (!message.taken.includes(true)) return end(next, LATER_MS, [settle]);
  const { restMs } = message;
  return goOn(next, restMs > 0 ? FEW_AT_ONCE : MOST_AT_ONCE, Math.min(restMs, LONGEST_REST_MS), [settle]);
}

function goOn(state: MoverState, most: number, afterMs: number, effects: readonly MoverEffect[]): MoverStep {
  if (state.budget <= 0 || state.keys.length === 0) return end(state, LATER_MS, effects);
  const look: MoverEffect = { type: "look", max: Math.min(most, state.budget), afterMs };
  return { state: { ...state, phase: "open" }, effects: [...effects, look] };
}

function end(state: MoverState, againMs: number | null, first: readonly MoverEffect[] = []): MoverStep {
  return {
    state: { ...state, phase: "ended", inFlight: 0 },
    effects: [...first, { type: "cancel" }, { type: "close" }, { type: "ended", againMs }],
  };
}
