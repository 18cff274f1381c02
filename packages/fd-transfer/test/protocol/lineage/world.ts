// SPDX-License-Identifier: Apache-2.0
// Three processes of one lineage and what lies between them. Nothing in a world is changed in place but by its own move.
import type { GiverState } from "../../../src/protocol/giver-state.ts";
import type { Message } from "../../../src/protocol/message.ts";
import { owns } from "../../../src/protocol/owns.ts";
import type { TimerName } from "../../../src/protocol/step.ts";
import type { TakerState } from "../../../src/protocol/taker-state.ts";
import type { WordName } from "../../../src/protocol/word.ts";

export interface Process {
  started: boolean;
  alive: boolean;
  hung: boolean;
  told: boolean;
  /** Which life of this version it is. */
  life: number;
  seeking: boolean;
  accepts: boolean;
  holds: boolean;
  lock: boolean;
  tenure: "no" | "trial" | "yes";
  /** Answers on owner.sock, if that leads here. */
  answers: boolean;
}

/** What one side of a connection has and has not seen. */
export interface End {
  inbox: readonly Message[];
  timers: readonly TimerName[];
  watching: boolean;
  silent: "no" | "hang" | "dead";
  probing: boolean;
  closed: boolean;
  eofSeen: boolean;
}

export interface Link {
  readonly giver: number;
  readonly taker: number;
  /** `hello`: not read yet. `parked`: waits for the standby to go. `waiting`: refused, stands by. */
  stage: "hello" | "parked" | "waiting" | "handing";
  /** Null before the hand-over and after its end. */
  g: GiverState | null;
  t: TakerState | null;
  word: WordName | null;
  ge: End;
  te: End;
}

export interface World {
  procs: Process[];
  links: Link[];
  /** Whom owner.sock leads to; -1 = nobody. */
  sock: number;
  epoch: number;
  lastEpoch: number;
  lastOwner: number;
  crashes: number;
  hangs: number;
  tells: number;
  restarts: number;
  removals: number;
  violation: string | null;
}

export const end = (): End => ({
  inbox: [],
  timers: [],
  watching: false,
  silent: "no",
  probing: false,
  closed: false,
  eofSeen: false,
});

/** The first version owns; the others start when they like. */
export function begin(): World {
  const nobody: Process = {
    started: false,
    alive: false,
    hung: false,
    told: false,
    life: 0,
    seeking: false,
    accepts: false,
    holds: false,
    lock: false,
    tenure: "no",
    answers: false,
  };
  const owner: Process = {
    ...nobody,
    started: true,
    alive: true,
    accepts: true,
    holds: true,
    lock: true,
    tenure: "yes",
    answers: true,
  };
  return {
    procs: [owner, { ...nobody }, { ...nobody }],
    links: [],
    sock: 0,
    epoch: 1,
    lastEpoch: 1,
    lastOwner: 0,
    crashes: 0,
    hangs: 0,
    tells: 0,
    restarts: 0,
    removals: 0,
    violation: null,
  };
}

export function copy(world: World): World {
  return {
    ...world,
    procs: world.procs.map((one) => ({ ...one })),
    links: world.links.map((link) => ({ ...link, ge: { ...link.ge }, te: { ...link.te } })),
  };
}

const flag = (value: boolean): string => (value ? "1" : "0");

function nameOf(one: End): string {
  const { inbox, timers, watching, silent, probing, closed, eofSeen } = one;
  const flags = flag(watching) + flag(probing) + flag(closed) + flag(eofSeen);
  return `${inbox.map(({ type }) => type).join()}/${timers.join()}/${flags}${silent[0]}`;
}

/** Two worlds of the same key behave the same: numbers that only grow are told by how they compare. */
export function key(world: World): string {
  const { procs, links, sock, epoch, lastEpoch, lastOwner, crashes, hangs, tells, restarts, removals } = world;
  const people = procs.map((p) => {
    const { started, alive, hung, told, seeking, accepts, holds, lock, tenure, answers, life } = p;
    return [started, alive, hung, told, seeking, accepts, holds, lock, answers].map(flag).join("") + tenure[0] + life;
  });
  const between = links.map(({ giver, taker, stage, g, t, word, ge, te }) => {
    const gs = g === null ? "-" : g.phase + flag(g.yielded) + flag(g.borrowed) + flag(g.gone) + flag(g.leaving);
    const ts = t === null ? "-" : t.phase + flag(t.leaving);
    return `${giver}${taker}${stage}|${gs}|${ts}|${word}|${nameOf(ge)}|${nameOf(te)}`;
  });
  const numbers = [sock, Math.min(2, epoch - lastEpoch), lastOwner, crashes, hangs, tells, restarts, removals];
  return `${people.join()};${between.sort().join(";")};${numbers.join()}`;
}

/** The connection on which this process is the new side. */
export function newLink(world: World, id: number): Link | undefined {
  return world.links.find((link) => link.taker === id && link.t !== null);
}

/** The hand-over in which this process is the old side. */
export function oldLink(world: World, id: number): Link | undefined {
  return world.links.find((link) => link.giver === id && link.g !== null);
}

export function isOwner(world: World, id: number): boolean {
  const process = world.procs[id]!;
  if (!process.alive || process.tenure === "no") return false;
  const taken = newLink(world, id);
  return owns(oldLink(world, id)?.word ?? null, taken?.word ?? null, taken?.t?.phase === "releasing");
}

export function isServing(world: World, id: number): boolean {
  const { tenure, accepts } = world.procs[id]!;
  return tenure === "yes" && accepts && isOwner(world, id);
}
