// SPDX-License-Identifier: Apache-2.0
// One batch of connections between a process that drains and the owner: every order of messages, deaths, hangs, stops
// and changes of ownership. The machine is the one that runs in production.
import { expect, test } from "vitest";
import type { Message } from "../../src/protocol/message.ts";
import type { MoverEffect, MoverEvent, MoverState, MoverStep } from "../../src/protocol/mover.ts";
import { startMover, stepMover } from "../../src/protocol/mover.ts";
import { receive } from "../../src/protocol/receiver.ts";

interface World {
  mover: MoverState;
  moverAlive: boolean;
  ownerAlive: boolean;
  ownerHung: boolean;
  /** It may lose that at any time: taken back from, told to stop. */
  ownerServes: boolean;
  toOwner: Message[];
  toMover: Message[];
  moverClosed: boolean;
  ownerClosed: boolean;
  eofSeen: boolean;
  timer: boolean;
  looking: boolean;
  stopped: boolean;
  /** Who reads the connection, and who has a descriptor that nobody reads. */
  readers: ("mover" | "owner")[];
  moverHolds: boolean;
  /** It was taken, and the owner does not read it yet. */
  ownerHolds: boolean;
  /** Bytes were read by a process that died before anybody could know. */
  lost: boolean;
}

interface Variant {
  readonly step?: (state: MoverState, event: MoverEvent) => MoverStep;
  /** The owner reads before it answers. */
  readonly readsFirst?: boolean;
  /** The owner that serves no more closes what it has taken and not read. */
  readonly drops?: boolean;
}

const move = { type: "MOVE" } as Message;
const moving: Message = { type: "MOVING", proto: 1, keys: ["k"], fdBudget: 10 };
const batch: Message = { type: "CONN", batch: 0, items: [{ key: 0, cookie: 1n, metaBytes: 0, unreadBytes: 0 }] };

function begin(): World {
  const { state } = startMover(move, 0);
  return {
    mover: state,
    moverAlive: true,
    ownerAlive: true,
    ownerHung: false,
    ownerServes: true,
    toOwner: [move],
    toMover: [],
    moverClosed: false,
    ownerClosed: false,
    eofSeen: false,
    timer: true,
    looking: false,
    stopped: false,
    readers: ["mover"],
    moverHolds: false,
    ownerHolds: false,
    lost: false,
  };
}

function perform(world: World, effects: readonly MoverEffect[]): void {
  for (const effect of effects) {
    if (effect.type === "cancel") world.timer = false;
    if (effect.type === "look") world.looking = true;
    if (effect.type === "close") Object.assign(world, { moverClosed: true, looking: false, toMover: [] });
    if (effect.type === "sendBatch" && !world.ownerClosed) world.toOwner.push(batch);
    if (effect.type === "settle" || effect.type === "takeBack" || effect.type === "giveUp") {
      world.moverHolds = false;
      const back = effect.type === "takeBack" || (effect.type === "settle" && effect.taken[0] === false);
      if (back) world.readers.push("mover");
    }
  }
}

function step(world: World, event: MoverEvent, { step: machine = stepMover }: Variant): void {
  const { state, effects } = machine(world.mover, event);
  world.mover = state;
  perform(world, effects);
}

/** What each can do next. The mover acts on a timer or an end only when nothing is left to read (R8). */
function moves(world: World, variant: Variant): [string, (next: World) => void][] {
  const found: [string, (next: World) => void][] = [];
  const add = (name: string, apply: (next: World) => void): void => void found.push([name, apply]);
  if (world.moverAlive && world.mover.phase !== "ended") {
    const message = world.toMover[0];
    if (message !== undefined) {
      add(`mover gets ${message.type}`, (next) => {
        next.toMover.shift();
        step(next, { type: "message", message }, variant);
      });
    } else {
      if (world.ownerClosed && !world.eofSeen) {
        add("mover sees the end", (next) => {
          next.eofSeen = true;
          step(next, { type: "eof" }, variant);
        });
      }
      if (world.timer) add("mover's timer", (next) => step(next, { type: "timer" }, variant));
      if (world.looking && world.readers.includes("mover") && !world.ownerClosed) {
        add("mover packs", (next) => {
          Object.assign(next, { looking: false, moverHolds: true, readers: [] });
          step(next, { type: "packed", count: 1 }, variant);
        });
      }
    }
    if (!world.stopped) {
      add("mover is told to stop", (next) => {
        next.stopped = true;
        step(next, { type: "stop" }, variant);
      });
    }
  }
  if (world.moverAlive) {
    add("mover dies", (next) => {
      Object.assign(next, { moverAlive: false, moverClosed: true, moverHolds: false, toMover: [] });
      next.readers = next.readers.filter((one) => one !== "mover");
    });
  }
  if (!world.ownerAlive) return found;
  add("owner dies", (next) => {
    if (next.readers.includes("owner") && next.toMover.length === 0 && next.moverHolds) next.lost = true;
    Object.assign(next, { ownerAlive: false, ownerClosed: true, ownerHolds: false, toOwner: [] });
    next.readers = next.readers.filter((one) => one !== "owner");
  });
  add(world.ownerHung ? "owner wakes up" : "owner hangs", (next) => void (next.ownerHung = !next.ownerHung));
  if (world.ownerHung) return found;
  if (world.ownerServes) {
    add("owner serves no more", (next) => {
      next.ownerServes = false;
      if (variant.drops === true) next.ownerHolds = false;
    });
  }
  if (world.ownerHolds) {
    add("owner reads what it has taken", (next) => {
      next.ownerHolds = false;
      next.readers.push("owner");
    });
  }
  const message = world.toOwner[0];
  if (message?.type === "MOVE") {
    add("owner answers MOVE", (next) => {
      next.toOwner.shift();
      if (!next.moverClosed) next.toMover.push(next.ownerServes ? moving : { type: "BUSY", retryAfterMs: 1, by: "" });
    });
  } else if (message !== undefined) {
    if (variant.readsFirst === true && world.ownerServes && !world.readers.includes("owner")) {
      add("owner reads", (next) => void next.readers.push("owner"));
      return found;
    }
    add("owner answers CONN", (next) => {
      next.toOwner.shift();
      for (const effect of receive(0, { serving: next.ownerServes, wanted: [true], restMs: 0 })) {
        if (effect.type === "send" && !next.moverClosed) next.toMover.push(effect.message);
        if (effect.type === "adopt" && !next.readers.includes("owner")) next.ownerHolds = true;
      }
    });
  } else if (!world.ownerClosed && (world.moverClosed || !world.ownerServes)) {
    add("owner ends the connection", (next) => void (next.ownerClosed = true));
  }
  return found;
}

function promise(world: World): string | null {
  if (world.readers.length > 1) return "two processes read one connection";
  if (world.lost) return "bytes are lost with nobody to know";
  const onItsWay = world.toOwner.some((one) => one.type === "CONN");
  const settled = world.mover.phase === "ended" || !world.moverAlive;
  if (settled && !onItsWay && !world.ownerHolds && world.readers.length === 0 && world.moverAlive) {
    return world.ownerAlive ? "nobody reads the connection" : null;
  }
  return null;
}

function explore(variant: Variant): { trace: string[] | null; states: number } {
  const start = begin();
  const key = (world: World): string =>
    JSON.stringify(world, (_, v: unknown) => (typeof v === "bigint" ? String(v) : v));
  const seen = new Set([key(start)]);
  const queue: { world: World; trace: string[] }[] = [{ world: start, trace: [] }];
  for (let index = 0; index < queue.length; index++) {
    const { world, trace } = queue[index]!;
    for (const [name, apply] of moves(world, variant)) {
      const next = structuredClone(world);
      apply(next);
      const path = [...trace, name];
      const broken = promise(next);
      if (broken !== null) return { trace: [...path, broken], states: seen.size };
      if (seen.has(key(next))) continue;
      seen.add(key(next));
      queue.push({ world: next, trace: path });
    }
  }
  return { trace: null, states: seen.size };
}

test("at most one process reads a connection, and while both live one of them does in the end", () => {
  const { trace, states } = explore({});
  expect(trace).toBeNull();
  expect(states).toBeGreaterThan(300);
});

test("M2: without it a promise is broken: what is on its way must not be taken back from an owner that only hangs", () => {
  const impatient: Variant = {
    step: (state, event) =>
      state.phase === "waiting" && event.type === "stop"
        ? { state: { ...state, phase: "ended" }, effects: [{ type: "takeBack" }, { type: "close" }] }
        : stepMover(state, event),
  };
  expect(explore(impatient).trace?.at(-1)).toBe("two processes read one connection");
});

test("M1: without it a promise is broken: the owner answers before it reads", () => {
  expect(explore({ readsFirst: true }).trace).not.toBeNull();
});

test("M6: without it a promise is broken: what was taken is read, also by an owner that serves no more", () => {
  expect(explore({ drops: true }).trace?.at(-1)).toBe("nobody reads the connection");
});

test("M3: without it a promise is broken: an end without an answer means that the connection goes on here", () => {
  const forgetful: Variant = {
    step: (state, event) =>
      state.phase === "waiting" && event.type === "message" && event.message.type === "CONN_ACK"
        ? { state: { ...state, phase: "ended" }, effects: [{ type: "giveUp" }, { type: "close" }] }
        : stepMover(state, event),
  };
  expect(explore(forgetful).trace?.at(-1)).toBe("nobody reads the connection");
});

/** What the mover looks for, after MOVING and after the answer to its first batch. */
function looks(restMs: number): MoverEffect[] {
  const first = stepMover(startMover(move, 0).state, {
    type: "message",
    message: { ...moving, fdBudget: 10_000 } as Message,
  });
  const { state } = stepMover(first.state, { type: "packed", count: 1 });
  const answer: Message = { type: "CONN_ACK", batch: 0, taken: [true], restMs };
  const second = stepMover(state, { type: "message", message: answer });
  return [...first.effects, ...second.effects].filter(({ type }) => type === "look");
}

test("M4: an owner with room for thousands gets a few at a time, so that neither process stands still meanwhile", () => {
  expect(looks(0)).toEqual([
    { type: "look", max: 8, afterMs: 0 },
    { type: "look", max: 32, afterMs: 0 },
  ]);
});

test("M6: an owner that asks for a rest gets it, if it is not too long, and fewer at a time", () => {
  expect(looks(20)[1]).toEqual({ type: "look", max: 8, afterMs: 20 });
  expect(looks(60_000)[1]).toEqual({ type: "look", max: 8, afterMs: 250 });
});
