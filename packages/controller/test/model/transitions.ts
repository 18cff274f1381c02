// SPDX-License-Identifier: Apache-2.0
import { commit, createDecider, hashOf, resourceVersion, type Decision } from "./controller.ts";
import { end, isNewer, moves, probe, serve } from "./processes.ts";
import type { Rules } from "./rules.ts";
import {
  clone,
  EMPTY_IMAGE,
  isUpgrading,
  other,
  targetOf,
  viewOf,
  type Actual,
  type Index,
  type State,
  type Tags,
  type View,
  type Wish,
} from "./state.ts";

export interface Bounds {
  edits: number;
  faults: number;
  kruise: number;
  /** How often the cache of pods may fall behind. */
  freezes: number;
  /** The cache of SidecarSets may show the one before. */
  stale: boolean;
  /** A kubelet before 1.34, which reports no generation. */
  old: boolean;
  tags: Tags;
}

export interface Step {
  label: string;
  state: State;
  /** Happens sooner or later by itself; other steps (users, faults) may never come. */
  progress: boolean;
  violation?: string | undefined;
}

const SIDES = [0, 1] as const;

/** All that can happen next. */
export function createTransitions(rules: Rules, bounds: Bounds) {
  const decide = createDecider(rules, bounds);

  const steps = (state: State): Step[] => {
    const found: Step[] = [];
    const step = (label: string, progress: boolean, change: (next: State) => string | undefined | void): void => {
      const next = clone(state);
      const violation = change(next) ?? undefined;
      found.push({ label, state: next, progress, violation });
    };
    const fault = (label: string, change: (next: State) => string | undefined | void): void => {
      if (state.faults >= bounds.faults) return;
      step(label, false, (next) => {
        next.faults++;
        return change(next);
      });
    };
    controller(state, step, fault);
    kubelet(state, step, fault);
    for (const side of SIDES) processes(state, side, step, fault);
    users(state, step);
    return found;
  };

  type Add = (label: string, progress: boolean, change: (next: State) => string | undefined | void) => void;
  type AddFault = (label: string, change: (next: State) => string | undefined | void) => void;

  const controller = (state: State, step: Add, fault: AddFault): void => {
    const seen: View = state.cache ?? viewOf(state);
    const act = (label: string, { write }: Decision): void => {
      if (write === undefined) return;
      const rejected = rules.precondition && state.cache !== null && !same(state.cache, viewOf(state));
      if (!rejected) step(`${label} ${write.kind}`, true, (next) => carryOut(next, write));
    };
    act("controller:", decide(seen, state.wish, state.before, state.late));
    if (state.before !== null) step("cache of SidecarSets catches up", true, (next) => void (next.before = null));
    const isOver = (next: State): void => void (next.late = true);
    const isHeard = bounds.old || state.observed >= (state.pod.record?.generation ?? 0);
    if (!state.late && (isUpgrading(state) || (bounds.old && hookIsOver(state)))) {
      if (isHeard) step("deadline", true, isOver);
      else fault("deadline, and the kubelet has not looked yet", isOver);
    }
    if (state.cache !== null) step("cache catches up", true, (next) => void (next.cache = null));
    else if (state.freezes < bounds.freezes) {
      step("cache falls behind", false, (next) => {
        next.freezes++;
        next.cache = viewOf(next);
      });
    }
  };

  const kubelet = (state: State, step: Add, fault: AddFault): void => {
    const { hook } = state;
    if (hook !== null) {
      // The status that was taken before the hook is sent while it runs.
      if (state.observed !== state.seen.generation) {
        step("kubelet says what it has seen", true, (next) => void (next.observed = next.seen.generation));
      }
      if (state.owner === hook) step("hook ends", true, (next) => void (next.hook = null));
      fault("hook fails", (next) => stop(next, hook, "hookerr"));
      fault("kubelet killed in mid-hook", (next) => void (next.hook = null));
      return;
    }
    if (!same(specOf(state), state.seen)) step("kubelet sees", true, (next) => void (next.seen = specOf(state)));
    const news = report(state, rules);
    if (!same([news, state.seen.generation], [state.reported, state.observed])) {
      step("kubelet reports", true, (next) => {
        next.reported = news;
        next.observed = next.seen.generation;
      });
    }
    for (const side of SIDES) {
      const changed = state.seen.img[side] !== state.actual[side].img;
      const ended = state.actual[side].st !== "run";
      if (!changed && !ended) continue;
      step(`kubelet starts side ${side + 1}`, changed, (next) => start(next, side, false));
      if (state.seen.img[side] === EMPTY_IMAGE) continue;
      fault(`side ${side + 1} hangs from its start`, (next) => start(next, side, true));
      if (changed) fault(`image of side ${side + 1} can't be pulled`, (next) => noImage(next, side));
    }
  };

  const start = (next: State, side: Index, dud: boolean): string | undefined => {
    const violation = next.actual[side].st === "run" ? end(next, side, "term", rules) : undefined;
    const { img, ver, alt, nth } = next.seen;
    const before = next.actual[side];
    const process: Actual = {
      img: img[side],
      cid: fresh(next, side),
      st: "run",
      v: ver[side],
      alt: alt[side],
      nth: nth[side],
      took: false,
      dud,
      fell: before.fell && before.img === img[side],
    };
    next.actual[side] = process;
    if (process.img !== EMPTY_IMAGE && isNewer(process)) next.hook = side;
    return violation;
  };

  /** As a kubelet does it: the old container is killed first, and stays the one that is reported. */
  const noImage = (next: State, side: Index): string | undefined => {
    const violation = next.actual[side].st === "run" ? end(next, side, "term", rules) : undefined;
    next.actual[side] = { ...next.actual[side], img: next.seen.img[side], st: "pull", took: false };
    return violation;
  };

  const stop = (next: State, side: Index, st: Actual["st"]): string | undefined => {
    const violation = end(next, side, "term", rules);
    next.actual[side].st = st;
    next.actual[side].fell = true;
    next.hook = null;
    return violation;
  };

  const processes = (state: State, side: Index, step: Add, fault: AddFault): void => {
    const move = moves(state, side);
    if (move !== undefined) {
      step(`side ${side + 1}: ${move}`, true, (next) => serve(next, side));
    }
    if (state.actual[side].st !== "run") return;
    fault(`side ${side + 1} dies`, (next) => {
      const violation = end(next, side, "crash", rules);
      next.actual[side].st = "crash";
      next.actual[side].fell = next.actual[side].img !== EMPTY_IMAGE;
      if (next.hook === side) next.hook = null;
      return violation;
    });
  };

  const users = (state: State, step: Add): void => {
    const { wish } = state;
    if (wish === null) return;
    kruise(state, wish, step);
    if (state.edits >= bounds.edits) return;
    const edit = (label: string, change: Partial<Wish> | null): void =>
      step(`user: ${label}`, false, (next) => {
        next.edits++;
        next.before = bounds.stale ? (state.before ?? wish) : null;
        next.wish = change && { ...wish, ...change, generation: wish.generation + 1 };
      });
    for (const img of ["x1", "x2", "x3"]) if (img !== wish.img) edit(img, { img });
    edit(wish.paused ? "resume" : "pause", { paused: !wish.paused });
    edit("another field", { other: !wish.other });
    edit("delete", null);
  };

  /** Kruise starts an upgrade as it does: without a record. */
  const kruise = (state: State, wish: Wish, step: Add): void => {
    const { pod } = state;
    const settled = pod.ver.includes(0);
    const serving: Index = pod.ver[0] === 0 ? 1 : 0;
    const version = resourceVersion(wish);
    const can = settled && !wish.paused && !wish.other && pod.img[serving] !== wish.img && version > pod.ver[serving];
    if (!can || state.kruise >= bounds.kruise) return;
    step("Kruise upgrades", false, (next) => {
      const target = other(serving);
      next.kruise++;
      next.pod.inPlace[target] = state.reported[target].img;
      next.pod.img[target] = wish.img;
      next.pod.ver[target] = version;
      next.pod.alt[target] = next.pod.ver[serving];
      next.pod.alt[serving] = version;
      next.pod.nth[target] = ++next.upgrades;
      next.pod.working = target;
      next.pod.hash = hashOf(wish);
      next.pod.generation++;
    });
  };

  const carryOut = (next: State, write: NonNullable<Decision["write"]>): string | undefined => {
    const violation = unsafe(next, write);
    commit(next, write);
    return violation;
  };

  return { steps, decide };
}

/** What must hold when an image is emptied: on what the API shows, and, for a reset, on what really is. */
function unsafe(state: State, { kind, images }: NonNullable<Decision["write"]>): string | undefined {
  for (const side of SIDES) {
    if (images[`x-${side + 1}`] !== EMPTY_IMAGE) continue;
    const sibling = other(side);
    const shown = state.reported[sibling];
    if (shown.st !== "run" || !shown.ready || shown.img !== state.pod.img[sibling]) {
      return `${kind}: side ${side + 1} is emptied while the other one is reported as ${shown.st} ${shown.img}`;
    }
    const process = state.actual[sibling];
    if (kind === "reset" && process.cid === shown.cid && process.st === "run" && !process.took) {
      return `reset: side ${sibling + 1} has not taken over`;
    }
  }
  return undefined;
}

/** Hooks bound themselves: they end before the time that an aborted one is given. */
function hookIsOver(state: State): boolean {
  const calm = state.hook === null && same(specOf(state), state.seen);
  return state.pod.record?.phase === "abort" && calm && same(state.reported.map(idOf), state.actual.map(idOf));
}

function idOf({ cid, st }: { cid: number; st: string }): string {
  return `${cid} ${st}`;
}

function specOf(state: State): State["seen"] {
  const { img, ver, alt, generation, nth } = viewOf(state).pod;
  return { img, ver, alt, generation, nth };
}

function report(state: State, rules: Rules): State["reported"] {
  return SIDES.map((side) => {
    const { img, cid, st } = state.actual[side];
    // A container that could not be made leaves the report of the one before it.
    const shown = st === "pull" ? state.reported[side].img : img;
    return { img: shown, cid, st, ready: rules.probe ? probe(state, side) : st === "run" };
  }) as State["reported"];
}

function fresh(state: State, side: Index): number {
  const used = [state.actual[side].cid, state.reported[side].cid];
  for (const { pod, reported } of [state, ...(state.cache ? [state.cache] : [])]) {
    used.push(reported[side].cid);
    const recorded = pod.record?.containerID ?? "";
    if (recorded !== "" && targetOf(pod) === side) used.push(Number(recorded.slice(1)));
  }
  return Math.max(...used) + 1;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
