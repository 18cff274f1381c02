// SPDX-License-Identifier: Apache-2.0
// Every world that can be reached, and whether the promises hold in it.
import type { Faults, Move } from "./moves.ts";
import { moves } from "./moves.ts";
import type { Variant } from "./process.ts";
import type { World } from "./world.ts";
import { begin, copy, isOwner, isServing, key } from "./world.ts";

export interface Found {
  /** How a promise is broken; null when none is. */
  readonly trace: string[] | null;
  readonly worlds: number;
}

const owners = (world: World): number[] => world.procs.flatMap((_, id) => (isOwner(world, id) ? [id] : []));

/** One serves, is found, and nobody more is on trial: what every story comes to. */
function isSettled(world: World): boolean {
  const [owner, ...more] = owners(world);
  return owner !== undefined && more.length === 0 && isServing(world, owner) && world.sock === owner;
}

/**
 * The owner is found; and as long as nobody crashes or hangs, somebody accepts at every instant. Who gives back during
 * the guard stops at once: the queue waits until the old side has heard of it.
 */
function atEveryInstant(world: World): string | null {
  if (owners(world).length > 1) return "two owners";
  const [owner] = owners(world);
  const removed = world.removals > 0;
  if (!removed && owner !== undefined && isServing(world, owner) && world.sock !== owner)
    return "owner.sock leads elsewhere";
  if (world.crashes > 0 || world.hangs > 0 || world.links.some(({ word }) => word === "ROLLED")) return null;
  const holders = world.procs.filter(({ alive, holds }) => alive && holds);
  return holders.length > 0 && !holders.some(({ accepts }) => accepts) ? "nobody accepts for a moment" : null;
}

/** A healthy owner of the highest rank is not taken over from: only a fault changes who owns. */
function isSteady(before: World, after: World, move: Move): boolean {
  const [owner] = owners(before);
  if (move.kind === "fault" || owner === undefined || !isServing(before, owner)) return true;
  const { told, hung } = before.procs[owner]!;
  const given = after.links.find(({ giver, g }) => giver === owner && g !== null);
  if (given !== undefined && given.taker < owner && !told) return false;
  const handing = before.links.some(({ giver, g }) => giver === owner && g !== null);
  const newer = before.procs.some((process, id) => id > owner && process.alive);
  const disturbed = before.links.some(({ ge, te }) => ge.silent !== "no" || te.silent !== "no");
  if (told || hung || newer || handing || disturbed || before.procs.some((one) => one.hung)) return true;
  return isOwner(after, owner);
}

/** What must hold when nothing more happens by itself. */
function atRest(world: World): string | null {
  const running = world.procs.filter(({ alive, hung }) => alive && !hung);
  if (running.some(({ holds }) => holds) && !running.some(({ accepts }) => accepts)) return "nobody accepts";
  if (world.procs.some(({ hung }) => hung)) return null;
  return running.some(({ holds }) => holds) && !isSettled(world) ? "nobody owns, or is found" : null;
}

function brokenBy(before: World, after: World, move: Move): string | null {
  if (after.violation !== null) return after.violation;
  return atEveryInstant(after) ?? (isSteady(before, after, move) ? null : "a healthy owner was taken over from");
}

/** A connection without a machine at either end is none: whoever still has it only closes it. */
function tidy(world: World): void {
  world.links = world.links.filter(({ g, t }) => g !== null || t !== null);
}

export function explore(faults: Faults, variant: Variant = {}): Found {
  const start = begin();
  const numbers = new Map([[key(start), 0]]);
  const worlds: World[] = [start];
  const cameFrom: { readonly from: number; readonly name: string }[] = [{ from: -1, name: "" }];
  const edges: number[] = [];
  const trace = (index: number, ...last: string[]): string[] => {
    const names = [...last];
    for (let at = index; at > 0; at = cameFrom[at]!.from) names.unshift(cameFrom[at]!.name);
    return names;
  };
  for (let index = 0; index < worlds.length; index++) {
    const world = worlds[index]!;
    const possible = moves(world, faults, variant);
    if (!possible.some(({ kind }) => kind === "inner")) {
      const waiting = possible.some(({ kind }) => kind === "seek");
      const broken = waiting ? null : atRest(world);
      if (broken !== null) return { trace: trace(index, broken), worlds: worlds.length };
    }
    for (const move of possible) {
      const next = copy(world);
      move.apply(next);
      tidy(next);
      const broken = brokenBy(world, next, move);
      if (broken !== null) return { trace: trace(index, move.name, broken), worlds: worlds.length };
      const name = key(next);
      let number = numbers.get(name);
      if (number === undefined) {
        number = worlds.length;
        numbers.set(name, number);
        worlds.push(next);
        cameFrom.push({ from: index, name: move.name });
      }
      if (move.kind !== "fault" || move.name.endsWith("wakes up")) edges.push(index, number);
    }
  }
  const stuck = firstStuck(worlds, edges);
  return { trace: stuck === null ? null : trace(stuck, "stuck"), worlds: worlds.length };
}

/** A world from which no way leads to a settled one without another fault, though somebody healthy is there. */
function firstStuck(worlds: readonly World[], edges: readonly number[]): number | null {
  const into: number[][] = worlds.map(() => []);
  for (let at = 0; at < edges.length; at += 2) into[edges[at + 1]!]!.push(edges[at]!);
  const good = worlds.map((world) => isSettled(world) || !world.procs.some(({ alive, told }) => alive && !told));
  const queue = good.flatMap((is, index) => (is ? [index] : []));
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    for (const from of into[at]!) {
      if (good[from] === true) continue;
      good[from] = true;
      queue.push(from);
    }
  }
  const found = good.indexOf(false);
  return found < 0 ? null : found;
}
