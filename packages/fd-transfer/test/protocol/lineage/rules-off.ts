// SPDX-License-Identifier: Apache-2.0
// Each rule of docs/fd-protocol.md, switched off.
import type { GiverState } from "../../../src/protocol/giver-state.ts";
import { stepGiver } from "../../../src/protocol/giver.ts";
import type { LinkEffect, LinkEvent, Observed, Step } from "../../../src/protocol/step.ts";
import type { TakerState } from "../../../src/protocol/taker-state.ts";
import { stepTaker } from "../../../src/protocol/taker.ts";
import type { Faults } from "./moves.ts";
import type { Variant } from "./process.ts";

const cut =
  <S extends { readonly phase: string }>(
    step: (state: S, event: LinkEvent, observed: Observed) => Step<S>,
    ignored: (event: LinkEvent, state: S) => boolean,
    dropped: (effect: LinkEffect, state: S) => boolean,
  ) =>
  (state: S, event: LinkEvent, observed: Observed): Step<S> => {
    if (ignored(event, state)) return { state, effects: [] };
    const next = step(state, event, observed);
    return { state: next.state, effects: next.effects.filter((effect) => !dropped(effect, next.state)) };
  };
const never = (): boolean => false;
const old = (ignored: (event: LinkEvent, state: GiverState) => boolean): Variant => ({
  stepOld: cut(stepGiver, ignored, never),
});
const fresh = (
  ignored: (event: LinkEvent, state: TakerState) => boolean,
  dropped: (effect: LinkEffect, state: TakerState) => boolean = never,
): Variant => ({ stepNew: cut(stepTaker, ignored, dropped) });

const closesInsteadOfReleasing: Variant = {
  stepOld: (state, event, observed) => {
    const next = stepGiver(state, event, observed);
    if (state.phase !== "lingering" || event.type !== "timer") return next;
    const effects: LinkEffect[] = [{ type: "close" }, { type: "ended", outcome: { kind: "kept" } }];
    return { state: { ...state, phase: "ended" }, effects };
  },
};

const leavesAtOnce: Variant = {
  stepNew: (state, event, observed) => {
    if (state.phase !== "kept" || event.type !== "terminate") return stepTaker(state, event, observed);
    const effects: LinkEffect[] = [{ type: "stopAccepting" }, { type: "letGo" }, { type: "close" }];
    return { state: { ...state, phase: "ended" }, effects };
  },
};

/** Each with the faults that show what it is for. */
export const RULES_OFF: readonly (readonly [name: string, variant: Variant, faults: Partial<Faults>])[] = [
  ["R1 L goes along", { withoutLock: true }, { crashes: 1 }],
  [
    "R2 the new side accepts after COMMITTED",
    fresh(never, (e, s) => e.type === "accept" && s.phase === "guarding"),
    {},
  ],
  ["R3 only a confirmed owner publishes", { publishesEarly: true }, { tells: 1 }],
  [
    "R4 the old side takes back in the guard",
    old((e, s) => (e.type === "eof" || e.type === "timer") && s.phase === "guarding"),
    { crashes: 1 },
  ],
  ["R5 the standby takes back", old((e, s) => e.type === "eof" && s.phase === "standby"), { crashes: 1 }],
  [
    "R5 the standby accepts for a silent owner",
    old((e, s) => e.type === "silent" && s.phase === "standby"),
    { hangs: 1 },
  ],
  ["R6 the standby is let go first", { keepsStandby: true }, { crashes: 1 }],
  ["R7 a peer that does not close is released", closesInsteadOfReleasing, { hangs: 1, crashes: 1 }],
  [
    "R7 the new side reclaims",
    fresh((e, s) => e.type === "eof" && (s.phase === "held" || s.phase === "probing" || s.phase === "committing")),
    { crashes: 1 },
  ],
  ["R8 what has arrived counts first", { impatient: true }, { crashes: 1, hangs: 1 }],
  ["R9 an older side stands by", { anyRank: true }, { crashes: 1, restarts: 1 }],
  ["R10 an owner that is told to stop gives back first", leavesAtOnce, { tells: 1 }],
  ["R11 no cold start without L", { ignoresLock: true }, { crashes: 1 }],
  ["R12 owner.sock is looked after", { neverRepairs: true }, { removals: 1 }],
  [
    "R13 the new side accepts for a silent old side",
    fresh((e, s) => e.type === "silent" && s.phase === "committing"),
    { hangs: 1 },
  ],
];
