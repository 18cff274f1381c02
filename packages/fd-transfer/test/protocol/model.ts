// SPDX-License-Identifier: Apache-2.0
// Two processes, two queues, one WORD: the machines that run in production, with a small world around them.
import type { GiverState } from "../../src/protocol/giver-state.ts";
import { startGiver, stepGiver } from "../../src/protocol/giver.ts";
import { DEFAULT_TIMEOUTS } from "../../src/protocol/limits.ts";
import type { Message } from "../../src/protocol/message.ts";
import type { LinkEffect, LinkEvent, Observed, Outcome, Step, TimerName } from "../../src/protocol/step.ts";
import type { TakerState } from "../../src/protocol/taker-state.ts";
import { startTaker, stepTaker } from "../../src/protocol/taker.ts";
import type { Side, WordName } from "../../src/protocol/word.ts";
import { mayChange, OWNER_BY } from "../../src/protocol/word.ts";

export interface Process {
  machine: GiverState | TakerState;
  inbox: Message[];
  timers: TimerName[];
  watching: boolean;
  silent: "no" | "hang" | "dead";
  probing: boolean;
  claims: boolean;
  closed: boolean;
  eofSeen: boolean;
  outcome: Outcome["kind"] | null;
  alive: boolean;
  hung: boolean;
  told: boolean;
  accepts: boolean;
  owns: "no" | "trial" | "yes";
  epoch: number;
  holds: boolean;
}

export interface World {
  old: Process;
  new: Process;
  word: WordName;
  epoch: number;
  crashes: number;
  hangs: number;
  violation: string | null;
}

/** What the exploration may switch off, to see that it is needed. */
export interface Variant {
  readonly stepOld?: (state: GiverState, event: LinkEvent, observed: Observed) => Step<GiverState>;
  readonly stepNew?: (state: TakerState, event: LinkEvent, observed: Observed) => Step<TakerState>;
  /** R8 off: timers count although messages wait. */
  readonly impatient?: boolean;
}

export interface Move {
  readonly name: string;
  apply(world: World): void;
}

const times = DEFAULT_TIMEOUTS;
const SIDES: readonly Side[] = ["old", "new"];
const other = (side: Side): Side => (side === "old" ? "new" : "old");

export function begin(variant: Variant): World {
  const idle = {
    inbox: [],
    timers: [],
    watching: false,
    silent: "no" as const,
    probing: false,
    claims: false,
    closed: false,
    eofSeen: false,
    outcome: null,
    alive: true,
    hung: false,
    told: false,
  };
  const welcome: Message = { type: "WELCOME", proto: 1, epoch: 1n, count: 3, batches: 1, stateBytes: 0, caps: 0 };
  const hello = { type: "GUARD_OK" } as Message;
  const giver = startGiver(1, 1n, welcome, times);
  const taker = startTaker(hello, times);
  const world: World = {
    old: { ...idle, inbox: [], timers: [], machine: giver.state, accepts: true, owns: "yes", epoch: 1, holds: true },
    new: { ...idle, inbox: [], timers: [], machine: taker.state, accepts: false, owns: "no", epoch: 0, holds: false },
    word: "PREP",
    epoch: 1,
    crashes: 0,
    hangs: 0,
    violation: null,
  };
  perform(world, "old", giver.effects, variant);
  perform(
    world,
    "new",
    taker.effects.filter((effect) => effect.type !== "send"),
    variant,
  );
  return world;
}

/** Everything that can happen next. `faults`: what the environment may still do. */
export function moves(
  world: World,
  variant: Variant,
  faults: { crashes: number; hangs: number; tells: boolean },
): Move[] {
  const found: Move[] = [];
  for (const side of SIDES) {
    const self = world[side];
    if (!self.alive) continue;
    if (world.crashes < faults.crashes) {
      found.push({
        name: `${side} crashes`,
        apply: (next) => {
          next.crashes++;
          die(next, side);
        },
      });
    }
    if (self.hung) {
      found.push({ name: `${side} wakes up`, apply: (next) => void (next[side].hung = false) });
      continue;
    }
    if (world.hangs < faults.hangs) {
      found.push({
        name: `${side} hangs`,
        apply: (next) => {
          next.hangs++;
          next[side].hung = true;
        },
      });
    }
    if (faults.tells && !self.told && self.outcome === null && isQuiet(world, side)) {
      found.push({
        name: `${side} is told to stop`,
        apply: (next) => {
          next[side].told = true;
          dispatch(next, side, { type: "terminate" }, variant);
        },
      });
    }
    found.push(...inner(world, side, variant));
  }
  return found;
}

/** What happens by itself: messages, ends of connections, timers, results of the application. */
export function inner(world: World, side: Side, variant: Variant): Move[] {
  const self = world[side];
  const peer = world[other(side)];
  if (!self.alive || self.hung || self.outcome !== null) return [];
  const on = (name: string, event: LinkEvent, before: (next: Process) => void = () => undefined): Move => ({
    name: `${side}: ${name}`,
    apply: (next) => {
      before(next[side]);
      dispatch(next, side, event, variant);
    },
  });
  const message = self.inbox[0];
  const found: Move[] = [];
  if (message !== undefined) {
    found.push({
      name: `${side} gets ${message.type}`,
      apply: (next) => {
        next[side].inbox.shift();
        if (next[side].silent !== "no") {
          next[side].silent = "no";
          dispatch(next, side, { type: "heard" }, variant);
        }
        dispatch(next, side, { type: "message", message }, variant);
      },
    });
  } else if (peer.closed && !self.eofSeen && !self.closed) {
    found.push(on("eof", { type: "eof" }, (next) => (next.eofSeen = true)));
  }
  if (isQuiet(world, side) || variant.impatient === true) {
    if (self.probing) {
      const done = (next: Process): void => void (next.probing = false);
      found.push(on("probe succeeds", { type: "probed", failure: null }, done));
      found.push(on("probe fails", { type: "probed", failure: "unwell" }, done));
    }
    if (self.claims) {
      found.push(on("claims", { type: "claimed", adopted: [], closed: [] }, (next) => (next.claims = false)));
    }
    for (const name of self.timers) {
      found.push(
        on(`timer ${name}`, { type: "timer", name }, (next) => {
          next.timers = next.timers.filter((one) => one !== name);
        }),
      );
    }
    // A peer that runs answers PING; only one that hangs is silent. (A false silence is another variant of "hung".)
    if (self.watching && peer.alive && peer.hung && !peer.closed) {
      if (self.silent === "no") {
        found.push(on("hang", { type: "silent", level: "hang" }, (next) => (next.silent = "hang")));
      } else if (self.silent === "hang") {
        found.push(on("dead", { type: "silent", level: "dead" }, (next) => (next.silent = "dead")));
      }
    }
    if (self.watching && self.silent !== "no" && !peer.hung && peer.alive && !peer.closed) {
      found.push(on("PONG", { type: "heard" }, (next) => (next.silent = "no")));
    }
  }
  return found;
}

/** Everything that has arrived is handled (R8). */
function isQuiet(world: World, side: Side): boolean {
  const self = world[side];
  return self.inbox.length === 0 && (!world[other(side)].closed || self.eofSeen);
}

/** By its own belief and WORD, as `HotHandoff.isOwner`. */
export function isOwner(world: World, side: Side): boolean {
  const self = world[side];
  if (!self.alive || self.owns === "no") return false;
  if (self.outcome !== null) return true;
  const bySide = OWNER_BY[world.word];
  if (side === "old") return bySide !== "new";
  return bySide === "new" || (world.word === "RELEASED" && self.machine.phase === "releasing");
}

function die(world: World, side: Side): void {
  Object.assign(world[side], { alive: false, closed: true, accepts: false, holds: false, owns: "no", hung: false });
}

function dispatch(world: World, side: Side, event: LinkEvent, variant: Variant): void {
  const self = world[side];
  if (self.outcome !== null) return;
  const observed: Observed = { word: world.word, eof: world[other(side)].closed };
  const step =
    side === "old"
      ? (variant.stepOld ?? stepGiver)(self.machine as GiverState, event, observed)
      : (variant.stepNew ?? stepTaker)(self.machine as TakerState, event, observed);
  self.machine = step.state;
  perform(world, side, step.effects, variant);
}

function perform(world: World, side: Side, effects: readonly LinkEffect[], variant: Variant): void {
  const self = world[side];
  const peer = world[other(side)];
  const results: LinkEvent[] = [];
  for (const effect of effects) {
    switch (effect.type) {
      case "send":
        if (!self.closed && !peer.closed) peer.inbox.push(effect.message);
        break;
      case "sendBatch":
        if (!self.closed && !peer.closed) peer.inbox.push({ type: "FDS", batch: effect.batch, items: [] });
        break;
      case "cas": {
        if (!mayChange(effect.from, effect.to, side))
          world.violation = `${side} changes ${effect.from} to ${effect.to}`;
        const won = world.word === effect.from;
        if (effect.epoch) world.epoch++;
        if (won) world.word = effect.to;
        results.push({ type: "cas", to: effect.to, won, epoch: effect.epoch ? BigInt(world.epoch) : 0n });
        break;
      }
      case "timer":
        if (!self.timers.includes(effect.name)) self.timers.push(effect.name);
        self.timers.sort();
        break;
      case "cancel":
        self.timers = self.timers.filter((name) => name !== effect.name);
        break;
      case "watch":
        self.watching = effect.on;
        self.silent = "no";
        break;
      case "close":
        self.closed = true;
        self.inbox = [];
        self.timers = [];
        self.watching = false;
        break;
      case "adopt":
        results.push({ type: "adopted", batch: effect.message.batch, count: 3, failure: null });
        break;
      case "held":
        self.holds = true;
        self.claims = true;
        break;
      case "probe":
        self.probing = true;
        break;
      case "accept":
        if (!self.holds) world.violation = `${side} accepts without a listener`;
        self.accepts = true;
        break;
      case "stopAccepting":
        self.accepts = false;
        break;
      case "own":
        if (effect.epoch === "take") world.epoch++;
        self.owns = effect.confirmed ? "yes" : "trial";
        self.epoch = effect.epoch === "take" || effect.epoch === "read" ? world.epoch : Number(effect.epoch);
        break;
      case "disown":
        self.owns = "no";
        break;
      case "standby":
        self.owns = "no";
        break;
      case "letGo":
        // After RELEASED this side has no claim: it is by nature that the queue goes with a lone owner (fd-protocol.md).
        if (self.holds && !self.told && world.word !== "RELEASED" && !(peer.alive && peer.holds)) {
          world.violation = `${side} lets the last listener go`;
        }
        self.holds = false;
        self.accepts = false;
        self.owns = "no";
        break;
      case "ended":
        ended(world, side, effect.outcome);
        break;
      case "publish":
        if (!isOwner(world, side) || self.owns !== "yes") world.violation = `${side} publishes and does not own`;
        break;
      case "failed":
      case "waiting":
      case "closeListener":
        break;
    }
  }
  for (const result of results) dispatch(world, side, result, variant);
}

function ended(world: World, side: Side, outcome: Outcome): void {
  const self = world[side];
  self.outcome = outcome.kind;
  self.probing = false;
  self.claims = false;
  // As the process does: it serves when the application is ready.
  if (outcome.kind === "reclaimed") self.accepts = true;
  if (outcome.kind === "left") die(world, side);
}
