// SPDX-License-Identifier: Apache-2.0
// Everything that can happen next.
import type { Side, Variant } from "./process.ts";
import {
  answer,
  canSeek,
  die,
  dispatch,
  endOf,
  fromOutside,
  hostOf,
  peerOf,
  read,
  seek,
  stopAnswering,
} from "./process.ts";
import type { End, Link, World } from "./world.ts";
import { isOwner, newLink, oldLink } from "./world.ts";

/** What the environment may do, and how often. */
export interface Faults {
  readonly crashes: number;
  readonly hangs: number;
  readonly tells: number;
  readonly restarts: number;
  readonly removals: number;
}

export interface Move {
  readonly name: string;
  /** `fault`: done to the processes. `seek`: somebody looks for the owner. `inner`: all else. */
  readonly kind: "fault" | "seek" | "inner";
  apply(world: World): void;
}

export function moves(world: World, faults: Faults, variant: Variant): Move[] {
  const found: Move[] = [];
  world.procs.forEach((process, id) => {
    const add = (kind: Move["kind"], what: string, apply: Move["apply"]): void =>
      void found.push({ kind, name: `${id} ${what}`, apply });
    if (!process.alive) {
      if (process.started && world.restarts >= faults.restarts) return;
      return add("fault", process.started ? "restarts" : "starts", (next) => {
        if (process.started) next.restarts++;
        Object.assign(next.procs[id]!, { started: true, alive: true, seeking: true, life: next.restarts });
      });
    }
    if (world.crashes < faults.crashes) {
      add("fault", "crashes", (next) => {
        next.crashes++;
        die(next, id);
      });
    }
    if (process.hung) return add("fault", "wakes up", (next) => void (next.procs[id]!.hung = false));
    if (world.hangs < faults.hangs) {
      add("fault", "hangs", (next) => {
        next.hangs++;
        next.procs[id]!.hung = true;
      });
    }
    if (world.tells < faults.tells && !process.told) add("fault", "is told to stop", (next) => tell(next, id, variant));
    if (canSeek(world, id, variant)) add("seek", "looks for the owner", (next) => seek(next, id, variant));
    if (process.told) leaving(world, id, add);
  });
  if (world.removals < faults.removals && world.sock >= 0) {
    found.push({
      kind: "fault",
      name: "owner.sock is removed",
      apply: (next) => Object.assign(next, { sock: -1, removals: next.removals + 1 }),
    });
  }
  // R12, each second.
  world.procs.forEach((process, id) => {
    if (variant.neverRepairs === true || !process.alive || process.hung || !process.answers || world.sock === id)
      return;
    if (process.tenure !== "yes" || !process.accepts || !isOwner(world, id)) return;
    found.push({ kind: "inner", name: `${id} publishes again`, apply: (next) => void (next.sock = id) });
  });
  world.links.forEach((_, index) => found.push(...between(world, index, variant)));
  return found;
}

function tell(world: World, id: number, variant: Variant): void {
  world.tells++;
  Object.assign(world.procs[id]!, { told: true, seeking: false });
  const [taken, given] = [newLink(world, id), oldLink(world, id)];
  if (taken !== undefined) fromOutside(world, taken, "t", { type: "terminate" }, variant);
  if (given !== undefined) fromOutside(world, given, "g", { type: "terminate" }, variant);
  for (const link of world.links)
    if (link.giver === id && link.stage === "waiting") Object.assign(link.ge, { closed: true });
}

type Add = (kind: Move["kind"], what: string, apply: Move["apply"]) => void;

/** As src/termination.ts: it is gone when nobody needs it any more. */
function leaving(world: World, id: number, add: Add): void {
  const given = oldLink(world, id);
  const linked = newLink(world, id) !== undefined || (given !== undefined && given.g?.phase !== "lingering");
  if (linked) return;
  const last = isOwner(world, id);
  add(last ? "fault" : "inner", last ? "comes to the end of its grace" : "leaves", (next) => {
    stopAnswering(next, id);
    die(next, id);
  });
}

function between(world: World, index: number, variant: Variant): Move[] {
  const link = world.links[index]!;
  const giver = world.procs[link.giver]!;
  const found: Move[] = [];
  const add = (
    side: Side,
    what: string,
    apply: (link: Link, next: World) => void,
    kind: Move["kind"] = "inner",
  ): void =>
    void found.push({ kind, name: `${hostOf(link, side)} ${what}`, apply: (next) => apply(next.links[index]!, next) });
  if (giver.alive && !giver.hung && !link.ge.closed) {
    if (link.stage === "hello") add("g", "answers HELLO", (l, next) => answer(next, l, variant), "seek");
    else if (link.g === null && link.te.closed) add("g", "forgets", (l) => void (l.ge.closed = true));
  }
  for (const side of ["g", "t"] as const) {
    const process = world.procs[hostOf(link, side)]!;
    if (!process.alive || process.hung || (side === "g" ? link.g : link.t) === null) continue;
    const [self, peer] = [endOf(link, side), peerOf(link, side)];
    if (self.inbox.length > 0) {
      // Being told to wait changes nothing: then it looks again.
      const kind = self.inbox[0]?.type === "BUSY" ? "seek" : "inner";
      add(side, `gets ${self.inbox[0]?.type}`, (l, next) => read(next, l, side, variant), kind);
    }
    if ((self.inbox.length === 0 || variant.impatient === true) && peer.closed && !self.eofSeen && !self.closed) {
      add(side, "sees the end", (l, next) => {
        endOf(l, side).eofSeen = true;
        dispatch(next, l, side, { type: "eof" }, variant);
      });
    }
    if (variant.impatient === true || (self.inbox.length === 0 && (!peer.closed || self.eofSeen))) {
      waits(world, link, side, (what, change, event) =>
        add(side, what, (l, next) => {
          Object.assign(endOf(l, side), change(endOf(l, side)));
          dispatch(next, l, side, event, variant);
        }),
      );
    }
  }
  return found;
}

type Event = Parameters<typeof dispatch>[3];
type Waits = (what: string, change: (self: End) => Partial<End>, event: Event) => void;

/** Only when everything that has arrived was handled (R8). */
function waits(world: World, link: Link, side: Side, add: Waits): void {
  const self = endOf(link, side);
  const peer = peerOf(link, side);
  const other = world.procs[hostOf(link, side === "g" ? "t" : "g")]!;
  if (self.probing) add("is well", () => ({ probing: false }), { type: "probed", failure: null });
  for (const name of self.timers) {
    // Who runs answers in time; so only somebody who hangs lets these pass.
    const slow = side === "g" || name !== "guard";
    if (slow && !other.hung && !peer.closed && !(name === "linger" && link.t === null)) continue;
    add(`timer ${name}`, ({ timers }) => ({ timers: timers.filter((one) => one !== name) }), { type: "timer", name });
  }
  const there = self.watching && other.alive && !peer.closed;
  if (there && other.hung && self.silent === "no")
    add("hang", () => ({ silent: "hang" }), { type: "silent", level: "hang" });
  if (there && other.hung && self.silent === "hang")
    add("dead", () => ({ silent: "dead" }), { type: "silent", level: "dead" });
  if (there && !other.hung && self.silent !== "no") add("PONG", () => ({ silent: "no" }), { type: "heard" });
}
