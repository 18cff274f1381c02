// SPDX-License-Identifier: Apache-2.0
// One test for each rule of docs/fd-protocol.md that the state machines carry (R6, R9: admission.test.ts; R8: the
// session and the model; R11, R12: the process tests).
import { expect, test } from "vitest";
import type { GiverState } from "../../src/protocol/giver-state.ts";
import { startGiver, stepGiver } from "../../src/protocol/giver.ts";
import { DEFAULT_TIMEOUTS as times } from "../../src/protocol/limits.ts";
import type { Message } from "../../src/protocol/message.ts";
import type { LinkEffect, LinkEvent, Step } from "../../src/protocol/step.ts";
import type { TakerState } from "../../src/protocol/taker-state.ts";
import { startTaker, stepTaker } from "../../src/protocol/taker.ts";
import type { WordName } from "../../src/protocol/word.ts";

type Input = LinkEvent | Message["type"];

const bodies: { [T in Message["type"]]?: Message } = {
  WELCOME: { type: "WELCOME", proto: 1, epoch: 10n, count: 3, batches: 1, stateBytes: 0, caps: 0 },
  FDS: { type: "FDS", batch: 0, items: [] },
  FDS_ACK: { type: "FDS_ACK", batch: 0, count: 3, ok: true, reason: "" },
  PREPARED: { type: "PREPARED", adopted: [], closed: [] },
  COMMIT: { type: "COMMIT", epoch: 10n },
  COMMITTED: { type: "COMMITTED", epoch: 11n },
  NACK: { type: "NACK", reason: "no" },
};
const event = (input: Input): LinkEvent =>
  typeof input === "string" ? { type: "message", message: bodies[input] ?? ({ type: input } as Message) } : input;
const cas = (to: WordName, won: boolean, epoch = 0n): LinkEvent => ({ type: "cas", to, won, epoch });
const adopted: LinkEvent = { type: "adopted", batch: 0, count: 3, failure: null };
const claimed: LinkEvent = { type: "claimed", adopted: [], closed: [] };
const well: LinkEvent = { type: "probed", failure: null };
const eof: LinkEvent = { type: "eof" };
const hang: LinkEvent = { type: "silent", level: "hang" };
const dead: LinkEvent = { type: "silent", level: "dead" };
const guardTimer: LinkEvent = { type: "timer", name: "guard" };
const terminate: LinkEvent = { type: "terminate" };

function old(...inputs: [Input, WordName][]): { state: GiverState; effects: readonly LinkEffect[] } {
  let step: Step<GiverState> = startGiver(1, 10n, bodies.WELCOME!, times);
  for (const [input, word] of inputs) step = stepGiver(step.state, event(input), { word, eof: false });
  return step;
}

function fresh(...inputs: [Input, WordName | null][]): { state: TakerState; effects: readonly LinkEffect[] } {
  let step: Step<TakerState> = startTaker({ type: "YIELD" }, times);
  for (const [input, word] of inputs) step = stepTaker(step.state, event(input), { word, eof: false });
  return step;
}

/** "send COMMIT", "cas PREP COMMITTED", "timer guard", "accept", … */
function names(effects: readonly LinkEffect[]): string[] {
  return effects.map((effect) => {
    if (effect.type === "send") return `send ${effect.message.type}`;
    if (effect.type === "cas") return `cas ${effect.from} ${effect.to}${effect.epoch ? " epoch" : ""}`;
    if (effect.type === "timer") return `timer ${effect.name}`;
    if (effect.type === "ended") return `ended ${effect.outcome.kind}`;
    if (effect.type === "own") return `own ${effect.confirmed ? "confirmed" : "on trial"}`;
    return effect.type;
  });
}

const PREPARING: [Input, WordName][] = [
  ["FDS_ACK", "PREP"],
  ["PREPARED", "PREP"],
];
const OLD_GUARDING: [Input, WordName][] = [
  ...PREPARING,
  ["COMMIT", "PREP"],
  [cas("COMMITTED", true, 11n), "COMMITTED"],
];
const OLD_YIELDED: [Input, WordName][] = [...OLD_GUARDING, ["ACCEPTING", "COMMITTED"]];
const STANDBY: [Input, WordName][] = [...OLD_YIELDED, ["GUARD_OK", "CONFIRMED"]];
const HELD: [Input, WordName | null][] = [
  ["WELCOME", null],
  ["FDS", null],
  [adopted, "PREP"],
];
const COMMITTING: [Input, WordName | null][] = [...HELD, [claimed, "PREP"], [well, "PREP"]];
const NEW_GUARDING: [Input, WordName | null][] = [...COMMITTING, ["COMMITTED", "COMMITTED"]];
const OWNER: [Input, WordName | null][] = [
  ...NEW_GUARDING,
  [guardTimer, "COMMITTED"],
  [well, "COMMITTED"],
  [cas("CONFIRMED", true), "CONFIRMED"],
];

test("R1: new holds everything and probes before COMMIT, and does not accept", () => {
  expect(names(fresh(...HELD).effects)).toEqual(["send FDS_ACK", "cancel", "held"]);
  expect(names(fresh(...HELD, [claimed, "PREP"]).effects)).toEqual(["send PREPARED", "probe"]);
  expect(names(fresh(...COMMITTING).effects)).toEqual(["watch", "send COMMIT"]);
});

test("R2: old on COMMIT writes the epoch, swaps, sends COMMITTED and goes on accepting until ACCEPTING", () => {
  expect(names(old(...PREPARING, ["COMMIT", "PREP"]).effects)).toEqual(["cas PREP COMMITTED epoch"]);
  const committed = old(...OLD_GUARDING);
  expect(names(committed.effects)).toContain("send COMMITTED");
  expect(names(committed.effects)).not.toContain("stopAccepting");
  expect(names(old(...OLD_YIELDED).effects)).toEqual(["stopAccepting"]);
  expect(names(fresh(...NEW_GUARDING).effects)).toEqual(["accept", "own on trial", "send ACCEPTING", "timer guard"]);
});

test("R2: a lost swap leaves old the owner", () => {
  const step = old(...PREPARING, ["COMMIT", "PREP"], [cas("COMMITTED", false), "ABORTED"]);
  expect(step.state.phase).toBe("lingering");
  expect(names(step.effects)).not.toContain("send COMMITTED");
});

test("R2: COMMIT counts only after PREPARED and with the epoch of WELCOME", () => {
  expect(names(old(["FDS_ACK", "PREP"], ["COMMIT", "PREP"]).effects)).toEqual(["cas PREP ABORTED"]);
  const stale: LinkEvent = { type: "message", message: { type: "COMMIT", epoch: 9n } };
  expect(names(old(...PREPARING, [stale, "PREP"]).effects)).toEqual(["cas PREP ABORTED"]);
});

test("R3: after the guard new probes again, swaps, and only then publishes", () => {
  expect(names(fresh(...NEW_GUARDING, [guardTimer, "COMMITTED"]).effects)).toEqual(["probe"]);
  expect(names(fresh(...NEW_GUARDING, [guardTimer, "COMMITTED"], [well, "COMMITTED"]).effects)).toEqual([
    "cas COMMITTED CONFIRMED",
  ]);
  expect(names(fresh(...OWNER).effects)).toEqual(["watch", "own confirmed", "send GUARD_OK", "publish"]);
});

test("R3: a lost swap means that old has taken back: withdraw", () => {
  const lost = [...NEW_GUARDING, [guardTimer, "COMMITTED"], [well, "COMMITTED"], [cas("CONFIRMED", false), "ROLLED"]];
  expect(names(fresh(...(lost as [Input, WordName][])).effects)).toEqual([
    "stopAccepting",
    "letGo",
    "close",
    "ended retry",
  ]);
});

test.each([
  ["EOF", eof],
  ["NACK", "NACK" as const],
  ["no PONG for deadMs", dead],
  ["the guard's deadline", guardTimer],
])("R4: old takes back in the guard at %s", (_, input) => {
  expect(names(old(...OLD_YIELDED, [input, "COMMITTED"]).effects)).toEqual(["cas COMMITTED ROLLED epoch"]);
  const won = old(...OLD_YIELDED, [input, "COMMITTED"], [cas("ROLLED", true, 12n), "ROLLED"]);
  expect(names(won.effects).slice(0, 2)).toEqual(["accept", "own confirmed"]);
  expect(won.effects[1]).toMatchObject({ epoch: 12n });
});

test("R4: a roll-back that loses to CONFIRMED makes old the standby, which takes back at the same EOF", () => {
  const lost = old(...OLD_YIELDED, [eof, "COMMITTED"], [cas("ROLLED", false), "CONFIRMED"]);
  expect(lost.state.phase).toBe("standby");
  expect(names(lost.effects)).toContain("cas CONFIRMED RETURNED epoch");
});

test.each([
  ["EOF", eof],
  ["YIELD", "YIELD" as const],
])("R5: the standby takes back at %s: accept, own, publish", (_, input) => {
  expect(names(old(...STANDBY, [input, "CONFIRMED"]).effects)).toEqual(["cas CONFIRMED RETURNED epoch"]);
  const won = old(...STANDBY, [input, "CONFIRMED"], [cas("RETURNED", true, 12n), "RETURNED"]);
  expect(names(won.effects).slice(0, 3)).toEqual(["accept", "own confirmed", "publish"]);
  expect(names(won.effects).includes("send YIELDED")).toBe(input === "YIELD");
});

test("R5: the standby accepts without owning while the owner is silent, and stops when it speaks", () => {
  expect(names(old(...STANDBY, [hang, "CONFIRMED"]).effects)).toEqual(["accept"]);
  expect(names(old(...STANDBY, [hang, "CONFIRMED"], [{ type: "heard" }, "CONFIRMED"]).effects)).toEqual([
    "stopAccepting",
  ]);
});

test("R5: a listener that the owner closes on purpose is closed here too", () => {
  const closed: LinkEvent = { type: "message", message: { type: "CLOSED", key: "http" } };
  expect(old(...STANDBY, [closed, "CONFIRMED"]).effects).toEqual([{ type: "closeListener", key: "http" }]);
});

test("R6: the owner releases its standby by a swap, waits for its close, and is alone then", () => {
  const asked = fresh(...OWNER, [{ type: "releaseStandby" }, "CONFIRMED"]);
  expect(names(asked.effects)).toEqual(["cas CONFIRMED RELEASED"]);
  const released: [Input, WordName | null][] = [
    ...OWNER,
    [{ type: "releaseStandby" }, "CONFIRMED"],
    [cas("RELEASED", true), "RELEASED"],
  ];
  expect(names(fresh(...released).effects)).toEqual(["send RELEASE", "timer linger"]);
  expect(names(fresh(...released, [eof, "RELEASED"]).effects)).toEqual(["close", "ended alone"]);
  expect(names(fresh(...released, [{ type: "timer", name: "linger" }, "RELEASED"]).effects)).toEqual([
    "close",
    "ended alone",
  ]);
});

test("R6: who is released closes dups and L and waits again", () => {
  expect(names(old(...STANDBY, ["RELEASE", "RELEASED"]).effects)).toEqual([
    "stopAccepting",
    "letGo",
    "close",
    "ended released",
  ]);
});

test("R7: old keeps the connection after ABORTED; a peer that does not close is released by a swap", () => {
  const aborted = old(...PREPARING, ["NACK", "PREP"], [cas("ABORTED", true), "ABORTED"]);
  expect(aborted.state.phase).toBe("lingering");
  expect(names(aborted.effects)).not.toContain("close");
  const linger: [Input, WordName][] = [
    ...PREPARING,
    ["NACK", "PREP"],
    [cas("ABORTED", true), "ABORTED"],
    [{ type: "timer", name: "linger" }, "ABORTED"],
  ];
  expect(names(old(...linger).effects)).toEqual(["cas ABORTED RELEASED"]);
  expect(names(old(...linger, [cas("RELEASED", true), "RELEASED"]).effects)).toEqual(["close", "ended kept"]);
});

test("R7: new that sees ABORTED withdraws, but with EOF too it reclaims", () => {
  expect(names(fresh(...HELD, ["NACK", "ABORTED"]).effects)).toEqual([
    "stopAccepting",
    "letGo",
    "close",
    "ended retry",
  ]);
  const state = fresh(...HELD).state;
  expect(names(stepTaker(state, eof, { word: "ABORTED", eof: true }).effects)).toEqual(["cas ABORTED CONFIRMED epoch"]);
  expect(names(stepTaker(state, eof, { word: "RELEASED", eof: true }).effects)).toContain("ended retry");
});

test.each(["PREP", "COMMITTED"] as const)("R7: the death of old after FDS is answered by a reclaim from %s", (word) => {
  const base = word === "PREP" ? HELD : NEW_GUARDING;
  const state = fresh(...base).state;
  const asked = stepTaker(state, eof, { word, eof: true });
  expect(names(asked.effects)).toEqual([`cas ${word} CONFIRMED epoch`]);
  const won = stepTaker(asked.state, cas("CONFIRMED", true, 12n), { word: "CONFIRMED", eof: true });
  expect(names(won.effects)).toEqual(["own confirmed", "watch", "close", "ended reclaimed"]);
});

test("R10: TERM to new before COMMIT is ABORTED, during the guard ROLLED, also when the two cross", () => {
  expect(names(fresh(...HELD, [terminate, "PREP"]).effects)).toEqual(["cas PREP ABORTED"]);
  expect(names(fresh(...NEW_GUARDING, [terminate, "COMMITTED"]).effects)).toEqual(["cas COMMITTED ROLLED"]);
  const crossed = fresh(...COMMITTING, [terminate, "PREP"], [cas("ABORTED", false), "COMMITTED"]);
  expect(names(crossed.effects)).toContain("cas COMMITTED ROLLED");
});

test("R10: TERM to an owner with a standby: YIELD, and accept until it is answered, or until yieldMs", () => {
  const yielding = fresh(...OWNER, [terminate, "CONFIRMED"]);
  expect(names(yielding.effects)).toEqual(["send YIELD", "timer yield"]);
  const gone = ["stopAccepting", "letGo", "close", "ended left"];
  expect(names(fresh(...OWNER, [terminate, "CONFIRMED"], ["YIELDED", "RETURNED"]).effects)).toEqual(gone);
  const late: LinkEvent = { type: "timer", name: "yield" };
  expect(names(fresh(...OWNER, [terminate, "CONFIRMED"], [late, "CONFIRMED"]).effects)).toEqual(gone);
});

test("R10: TERM to old in a hand-over or its guard: it finishes, and leaves when new is confirmed", () => {
  expect(names(old(...PREPARING, [terminate, "PREP"]).effects)).toEqual([]);
  expect(names(old(...OLD_YIELDED, [terminate, "COMMITTED"]).effects)).toEqual([]);
  const left = old(...OLD_YIELDED, [terminate, "COMMITTED"], ["GUARD_OK", "CONFIRMED"]);
  expect(names(left.effects).at(-1)).toBe("ended left");
  expect(names(old(...STANDBY, [terminate, "CONFIRMED"]).effects).at(-1)).toBe("ended left");
});

test("R10: a standby that accepts for a silent owner does not leave it alone", () => {
  expect(names(old(...STANDBY, [hang, "CONFIRMED"], [terminate, "CONFIRMED"]).effects)).toEqual([]);
});

test("R13: new, COMMIT sent, accepts without owning while old is silent, and has no deadline of its own", () => {
  const silent = fresh(...COMMITTING, [hang, "PREP"]);
  expect(names(silent.effects)).toEqual(["accept"]);
  expect(silent.state.phase).toBe("committing");
  expect(names(fresh(...COMMITTING, [hang, "PREP"], [dead, "PREP"]).effects)).toEqual(["accept"]);
});

test("WORD decides when its message is lost: any next event will do", () => {
  expect(fresh(...COMMITTING, [{ type: "heard" }, "COMMITTED"]).state.phase).toBe("guarding");
  expect(old(...OLD_YIELDED, [{ type: "heard" }, "CONFIRMED"]).state.phase).toBe("standby");
});

test("R6: the old side that missed everything from CONFIRMED to RELEASED lets go, whatever it hears of first", () => {
  const guarding: [Input, WordName][] = [
    ["FDS_ACK", "PREP"],
    ["PREPARED", "PREP"],
    ["COMMIT", "PREP"],
    [cas("COMMITTED", true, 11n), "COMMITTED"],
  ];
  for (const heard of [eof, guardTimer, event("GUARD_OK"), event("RELEASE")]) {
    expect(names(old(...guarding, [heard, "RELEASED"]).effects)).toEqual([
      "stopAccepting",
      "letGo",
      "close",
      "ended released",
    ]);
  }
});
