// SPDX-License-Identifier: Apache-2.0
// Explores every order of messages, timers, crashes, hangs and stops of one hand-over.
import { expect, test, vi } from "vitest";
import type { GiverState } from "../../src/protocol/giver-state.ts";
import { stepGiver } from "../../src/protocol/giver.ts";
import type { LinkEffect, LinkEvent, Observed, Step } from "../../src/protocol/step.ts";
import type { TakerState } from "../../src/protocol/taker-state.ts";
import { stepTaker } from "../../src/protocol/taker.ts";
import type { Side } from "../../src/protocol/word.ts";
import type { Variant, World } from "./model.ts";
import { begin, inner, isOwner, moves } from "./model.ts";

// A search takes as long as it takes; the machine may be busy.
vi.setConfig({ testTimeout: 120_000 });

interface Faults {
  crashes: number;
  hangs: number;
  tells: boolean;
}

const SIDES: readonly Side[] = ["old", "new"];
const key = (world: World): string =>
  JSON.stringify(world, (name, value: unknown) => {
    if (name === "times" || name === "reason" || name === "epoch") return undefined;
    return typeof value === "bigint" ? String(value) : value;
  });

/** The first trace that breaks a promise, or null; and how many states there are. */
function explore(
  variant: Variant,
  faults: Faults,
  check: (world: World, variant: Variant) => string | null = promise,
  never: (move: string) => boolean = () => false,
): { trace: string[] | null; states: number } {
  const start = begin(variant);
  const seen = new Set([key(start)]);
  const queue: { world: World; trace: readonly string[] }[] = [{ world: start, trace: [] }];
  for (let index = 0; index < queue.length; index++) {
    const { world, trace } = queue[index]!;
    for (const move of moves(world, variant, faults)) {
      if (never(move.name)) continue;
      const next = structuredClone(world);
      move.apply(next);
      const path = [...trace, move.name];
      const broken = next.violation ?? check(next, variant);
      if (broken !== null) return { trace: [...path, broken], states: seen.size };
      const name = key(next);
      if (seen.has(name)) continue;
      seen.add(name);
      queue.push({ world: next, trace: path });
    }
  }
  return { trace: null, states: seen.size };
}

function promise(world: World, variant: Variant): string | null {
  if (SIDES.every((side) => isOwner(world, side))) return "two owners";
  const running = SIDES.filter((side) => world[side].alive && !world[side].hung);
  const still = SIDES.every((side) => inner(world, side, variant).length === 0);
  if (!still || running.length === 0) return null;
  // Nothing more happens by itself: somebody must accept, unless all that run were told to stop, or hold nothing
  // because the other side died before it had passed anything.
  const able = running.filter((side) => world[side].holds);
  if (able.length > 0 && !running.some((side) => world[side].accepts)) return "nobody accepts";
  const dead = SIDES.every((side) => !world[side].alive || world[side].hung || !isOwner(world, side));
  const hung = SIDES.some((side) => world[side].hung);
  if (able.length > 0 && dead && !hung) return "nobody owns";
  return null;
}

test("one crash, stops of both sides: at most one owner, and whoever can accept does", () => {
  const { trace, states } = explore({}, { crashes: 1, hangs: 0, tells: true });
  expect(trace).toBeNull();
  expect(states).toBeGreaterThan(200);
});

test("one hang with its end, one crash: the same", () => {
  const { trace, states } = explore({}, { crashes: 1, hangs: 1, tells: false });
  expect(trace).toBeNull();
  expect(states).toBeGreaterThan(500);
});

test("a hang and stops of both sides: the same", () => {
  expect(explore({}, { crashes: 0, hangs: 1, tells: true }).trace).toBeNull();
});

test("two crashes and a hang with stops: never two owners", () => {
  expect(explore({}, { crashes: 2, hangs: 1, tells: true }).trace).toBeNull();
});

/** The machine with some effects taken out or some events withheld: each rule is needed. */
function without(
  dropped: (effect: LinkEffect, state: { phase: string }) => boolean,
  ignored: (event: LinkEvent, state: { phase: string }) => boolean = () => false,
): Variant {
  const cut = <S extends { phase: string }>(step: (s: S, e: LinkEvent, o: Observed) => Step<S>) => {
    return (state: S, event: LinkEvent, observed: Observed): Step<S> => {
      if (ignored(event, state)) return { state, effects: [] };
      const next = step(state, event, observed);
      return { state: next.state, effects: next.effects.filter((effect) => !dropped(effect, next.state)) };
    };
  };
  return { stepOld: cut<GiverState>(stepGiver), stepNew: cut<TakerState>(stepTaker) };
}

const NEEDED: [string, Variant][] = [
  ["R2 the new side accepts after COMMITTED", without((e, s) => e.type === "accept" && s.phase === "guarding")],
  [
    "R4 the old side takes back at EOF in the guard",
    without(
      () => false,
      (e, s) => e.type === "eof" && s.phase === "guarding",
    ),
  ],
  [
    "R5 the standby takes back at EOF",
    without(
      () => false,
      (e, s) => e.type === "eof" && s.phase === "standby",
    ),
  ],
  [
    "R7 a peer that does not close is released",
    {
      stepOld: (state, event, observed) => {
        const next = stepGiver(state, event, observed);
        if (state.phase !== "lingering" || event.type !== "timer") return next;
        // Closes instead, as an early version did.
        return {
          state: { ...state, phase: "ended" },
          effects: [{ type: "close" }, { type: "ended", outcome: { kind: "kept" } }],
        };
      },
    },
  ],
  [
    "R7 the new side reclaims at EOF",
    without(
      () => false,
      (e, s) => e.type === "eof" && (s.phase === "held" || s.phase === "committing"),
    ),
  ],
  [
    "R5 the standby accepts for a silent owner",
    without(
      () => false,
      (e, s) => e.type === "silent" && s.phase === "standby",
    ),
  ],
  [
    "R13 the new side accepts for a silent old side",
    without(
      () => false,
      (e, s) => e.type === "silent" && s.phase === "committing",
    ),
  ],
];

test.each(NEEDED)("%s: without it a promise is broken", (_, variant) => {
  expect(explore(variant, { crashes: 1, hangs: 1, tells: true }).trace).not.toBeNull();
});

/** Nobody crashes, hangs, or takes longer than yieldMs: then somebody accepts at every instant from CONFIRMED on. */
function gap(variant: Variant): string[] | null {
  const calm = (world: World): string | null =>
    (world.word === "CONFIRMED" || world.word === "RETURNED") &&
    SIDES.some((side) => world[side].alive) &&
    !SIDES.some((side) => world[side].accepts)
      ? "nobody accepts"
      : null;
  return explore(variant, { crashes: 0, hangs: 0, tells: true }, calm, (name) => name.endsWith("timer yield")).trace;
}

test("R10: the owner yields before it goes, and there is no instant without somebody who accepts", () => {
  expect(gap({})).toBeNull();
  const abrupt: Variant = {
    stepNew: (state, event, observed) => {
      if (state.phase !== "kept" || event.type !== "terminate") return stepTaker(state, event, observed);
      const effects: LinkEffect[] = [{ type: "stopAccepting" }, { type: "letGo" }, { type: "close" }];
      return { state: { ...state, phase: "ended" }, effects };
    },
  };
  expect(gap(abrupt)).not.toBeNull();
});
