// SPDX-License-Identifier: Apache-2.0
// What a process does about an event, as src/participant.ts, old-side.ts and new-side.ts do it: the machines and the
// admission are those that run in production.
import { admit } from "../../../src/protocol/admission.ts";
import { NO_BACK_OFF } from "../../../src/protocol/back-off.ts";
import type { GiverState } from "../../../src/protocol/giver-state.ts";
import { startGiver, stepGiver } from "../../../src/protocol/giver.ts";
import { DEFAULT_TIMEOUTS } from "../../../src/protocol/limits.ts";
import type { Message, MessageOf } from "../../../src/protocol/message.ts";
import type { LinkEffect, LinkEvent, Observed, Outcome, Step } from "../../../src/protocol/step.ts";
import type { TakerState } from "../../../src/protocol/taker-state.ts";
import { startTaker, stepTaker } from "../../../src/protocol/taker.ts";
import { mayChange } from "../../../src/protocol/word.ts";
import type { End, Link, World } from "./world.ts";
import { end, isOwner, isServing, newLink, oldLink } from "./world.ts";

/** What may be switched off, to see that it is needed. */
export interface Variant {
  readonly stepOld?: (state: GiverState, event: LinkEvent, observed: Observed) => Step<GiverState>;
  readonly stepNew?: (state: TakerState, event: LinkEvent, observed: Observed) => Step<TakerState>;
  /** R1: L does not go along. */
  readonly withoutLock?: boolean;
  /** R3: published as soon as it accepts. */
  readonly publishesEarly?: boolean;
  /** R6: the standby is not let go before the next hand-over. */
  readonly keepsStandby?: boolean;
  /** R8: an end or a timer counts although messages wait. */
  readonly impatient?: boolean;
  /** R9: whoever asks takes over. */
  readonly anyRank?: boolean;
  /** R11: a dead owner is reason enough for a cold start. */
  readonly ignoresLock?: boolean;
  /** R12: owner.sock is not looked after. */
  readonly neverRepairs?: boolean;
}

export type Side = "g" | "t";
const times = DEFAULT_TIMEOUTS;
const welcome: Message = { type: "WELCOME", proto: 1, epoch: 1n, count: 3, batches: 1, stateBytes: 0, caps: 0 };

export const endOf = (link: Link, side: Side): End => (side === "g" ? link.ge : link.te);
export const peerOf = (link: Link, side: Side): End => (side === "g" ? link.te : link.ge);
export const hostOf = (link: Link, side: Side): number => (side === "g" ? link.giver : link.taker);

function post(link: Link, to: End, message: Message): void {
  if (!link.ge.closed && !link.te.closed) to.inbox = [...to.inbox, message];
}

function shut(one: End): void {
  Object.assign(one, { closed: true, inbox: [], timers: [], watching: false, probing: false });
}

/** Both machines run until neither has anything to read: no third process can tell the difference. */
function transfer(world: World, link: Link, variant: Variant): void {
  for (const side of ["t", "g", "t", "g"] as const) {
    while (!world.procs[hostOf(link, side)]!.hung && endOf(link, side).inbox.length > 0)
      read(world, link, side, variant);
  }
}

export function seek(world: World, id: number, variant: Variant): void {
  const process = world.procs[id]!;
  process.seeking = false;
  if (world.sock >= 0 && world.procs[world.sock]!.alive && world.procs[world.sock]!.answers) {
    const t = startTaker({ type: "GUARD_OK" }, times).state;
    const te = { ...end(), timers: ["answer" as const] };
    world.links.push({ giver: world.sock, taker: id, stage: "hello", g: null, t, word: null, ge: end(), te });
    return;
  }
  if (world.procs.some((other) => other !== process && other.alive && other.holds)) {
    world.violation = "a second socket for one address";
  }
  Object.assign(process, { lock: true, holds: true });
  world.epoch++;
  own(world, id, world.epoch, true);
  serve(world, id, variant);
}

/** owner.sock leads to somebody who is there, or the lock is free. */
export function canSeek(world: World, id: number, variant: Variant): boolean {
  if (!world.procs[id]!.seeking) return false;
  if (world.sock >= 0 && world.procs[world.sock]!.alive && world.procs[world.sock]!.answers) return true;
  // What is on its way is held as well: the kernel closes it only with the connection.
  const onItsWay = world.links.some(({ te }) => te.inbox.some(({ type }) => type === "FDS"));
  return variant.ignoresLock === true || !(onItsWay || world.procs.some((other) => other.alive && other.lock));
}

export function answer(world: World, link: Link, variant: Variant): void {
  const { giver, taker } = link;
  const rank = (id: number): { version: bigint; startedAt: bigint } => ({
    version: BigInt(id + 1),
    startedAt: BigInt(world.procs[id]!.life),
  });
  const asking = variant.anyRank === true ? { version: 9n, startedAt: 9n } : rank(taker);
  const parked = world.links.some((one) => one.giver === giver && one.stage === "parked" && one !== link);
  const host = {
    name: "a",
    rank: rank(giver),
    leaving: world.procs[giver]!.told,
    serving: isServing(world, giver),
    handingTo: oldLink(world, giver) !== undefined || parked ? "another" : null,
    hasStandby: newLink(world, giver) !== undefined && variant.keepsStandby !== true,
    backOff: NO_BACK_OFF,
    retryAfterMs: 1,
    now: 0,
  };
  const hello = { protoMin: 1, protoMax: 1, name: "a", ...asking } as MessageOf<"HELLO">;
  const admission = admit(host, hello, true);
  if (admission.kind === "refuse") {
    link.stage = "waiting";
    post(link, link.te, { type: "REFUSE", code: "standby", reason: "" });
  } else if (admission.kind === "busy") {
    post(link, link.te, { type: "BUSY", retryAfterMs: 1, by: "" });
    shut(link.ge);
  } else if (admission.kind === "releaseFirst") {
    link.stage = "parked";
    const own = newLink(world, giver);
    if (own !== undefined) fromOutside(world, own, "t", { type: "releaseStandby" }, variant);
  } else {
    const { state, effects } = startGiver(1, 1n, welcome, times);
    Object.assign(link, { stage: "handing", g: state, word: "PREP" });
    perform(world, link, "g", effects, variant);
    if (host.leaving) fromOutside(world, link, "g", { type: "terminate" }, variant);
    transfer(world, link, variant);
  }
}

export function read(world: World, link: Link, side: Side, variant: Variant): void {
  const self = endOf(link, side);
  const [message, ...rest] = self.inbox;
  if (message === undefined) return;
  self.inbox = rest;
  if (self.silent !== "no") {
    self.silent = "no";
    dispatch(world, link, side, { type: "heard" }, variant);
  }
  dispatch(world, link, side, { type: "message", message }, variant);
}

/** What the process itself says counts after what the other side has said before (R8). */
export function fromOutside(world: World, link: Link, side: Side, event: LinkEvent, variant: Variant): void {
  while (endOf(link, side).inbox.length > 0) read(world, link, side, variant);
  if (peerOf(link, side).closed && !endOf(link, side).eofSeen && !endOf(link, side).closed) {
    endOf(link, side).eofSeen = true;
    dispatch(world, link, side, { type: "eof" }, variant);
  }
  dispatch(world, link, side, event, variant);
}

export function dispatch(world: World, link: Link, side: Side, event: LinkEvent, variant: Variant): void {
  const observed: Observed = { word: link.word, eof: peerOf(link, side).closed };
  const { g, t } = link;
  if (side === "g" && g !== null) {
    const step = (variant.stepOld ?? stepGiver)(g, event, observed);
    link.g = step.state;
    perform(world, link, side, step.effects, variant);
  } else if (side === "t" && t !== null) {
    const step = (variant.stepNew ?? stepTaker)(t, event, observed);
    link.t = step.state;
    perform(world, link, side, step.effects, variant);
  }
}

function perform(world: World, link: Link, side: Side, effects: readonly LinkEffect[], variant: Variant): void {
  const self = endOf(link, side);
  const peer = peerOf(link, side);
  const id = hostOf(link, side);
  const process = world.procs[id]!;
  const results: LinkEvent[] = [];
  for (const effect of effects) {
    switch (effect.type) {
      case "send":
        post(link, peer, effect.message);
        break;
      case "sendBatch":
        post(link, peer, { type: "FDS", batch: effect.batch, items: [] });
        break;
      case "cas": {
        const { from, to, epoch } = effect;
        if (!mayChange(from, to, side === "g" ? "old" : "new")) world.violation = `${from} to ${to} by ${side}`;
        const won = link.word === from;
        if (epoch) world.epoch++;
        if (won) link.word = to;
        results.push({ type: "cas", to, won, epoch: epoch ? BigInt(world.epoch) : 0n });
        break;
      }
      case "timer":
        if (!self.timers.includes(effect.name)) self.timers = [...self.timers, effect.name].sort();
        break;
      case "cancel":
        self.timers = self.timers.filter((name) => name !== effect.name);
        break;
      case "watch":
        Object.assign(self, { watching: effect.on, silent: "no" });
        break;
      case "close":
        if (self.inbox.some(({ type }) => type === "FDS") && !world.procs.some(({ alive, holds }) => alive && holds)) {
          world.violation = "the last listeners are dropped unread";
        }
        shut(self);
        break;
      case "adopt":
        results.push({ type: "adopted", batch: effect.message.batch, count: 3, failure: null });
        break;
      case "held":
        Object.assign(process, { holds: true, lock: variant.withoutLock !== true });
        results.push({ type: "claimed", adopted: [], closed: [] });
        break;
      case "probe":
        self.probing = true;
        break;
      case "accept":
        if (!process.holds) world.violation = `${id} accepts without a listener`;
        process.accepts = true;
        break;
      case "stopAccepting":
        process.accepts = false;
        break;
      case "own": {
        if (effect.epoch === "take") world.epoch++;
        own(world, id, typeof effect.epoch === "bigint" ? Number(effect.epoch) : world.epoch, effect.confirmed);
        if (variant.publishesEarly === true && !effect.confirmed) {
          process.answers = true;
          world.sock = id;
        }
        break;
      }
      case "waiting":
      case "disown":
        process.tenure = "no";
        break;
      case "standby":
        process.tenure = "no";
        stopAnswering(world, id);
        break;
      case "publish":
        publish(world, id);
        break;
      case "letGo":
        letGo(world, id);
        break;
      case "ended":
        if (side === "g") link.g = null;
        else link.t = null;
        ended(world, id, effect.outcome, variant);
        break;
      case "failed":
      case "closeListener":
        break;
    }
  }
  for (const result of results) dispatch(world, link, side, result, variant);
}

function own(world: World, id: number, epoch: number, confirmed: boolean): void {
  const same = world.lastOwner === id && world.lastEpoch === epoch;
  if (!same && epoch <= world.lastEpoch) world.violation = `epoch ${epoch} of ${id} after ${world.lastEpoch}`;
  Object.assign(world, { lastEpoch: epoch, lastOwner: id });
  world.procs[id]!.tenure = confirmed ? "yes" : "trial";
}

function publish(world: World, id: number): void {
  if (!isOwner(world, id) || world.procs[id]!.tenure !== "yes") world.violation = `${id} publishes and does not own`;
  world.sock = id;
  world.procs[id]!.answers = true;
}

function serve(world: World, id: number, _variant: Variant): void {
  world.procs[id]!.accepts = true;
  publish(world, id);
}

export function stopAnswering(world: World, id: number): void {
  world.procs[id]!.answers = false;
  for (const link of world.links) if (link.giver === id && link.stage !== "handing") shut(link.ge);
}

export function letGo(world: World, id: number): void {
  Object.assign(world.procs[id]!, { tenure: "no", accepts: false, holds: false, lock: false });
  stopAnswering(world, id);
}

function ended(world: World, id: number, outcome: Outcome, variant: Variant): void {
  const process = world.procs[id]!;
  if (outcome.kind === "alone") {
    const parked = world.links.find((link) => link.giver === id && link.stage === "parked" && !link.ge.closed);
    if (parked !== undefined) answer(world, parked, variant);
  } else if (outcome.kind === "reclaimed") {
    serve(world, id, variant);
  } else if (outcome.kind === "released" || outcome.kind === "left" || outcome.kind === "retry") {
    process.seeking = !process.told;
  }
}

export function die(world: World, id: number): void {
  letGo(world, id);
  Object.assign(world.procs[id]!, { alive: false, hung: false, seeking: false, told: false });
  for (const link of world.links) {
    if (link.giver === id) {
      link.g = null;
      shut(link.ge);
    }
    if (link.taker === id) {
      link.t = null;
      shut(link.te);
    }
  }
}
