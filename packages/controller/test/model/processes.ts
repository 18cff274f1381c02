// SPDX-License-Identifier: Apache-2.0
import type { Rules } from "./rules.ts";
import { EMPTY_IMAGE, other, serves, type Actual, type Index, type State } from "./state.ts";

/** Told by VERSION and ALT that it is the new side of an upgrade. */
export function isNewer({ v, alt }: Actual): boolean {
  return alt !== 0 && v > alt;
}

/** The answer of the exec probe: a newer side says yes only after its takeover, every other process always. */
export function probe(state: State, side: Index): boolean {
  const process = state.actual[side];
  return process.st === "run" && (process.img === EMPTY_IMAGE || !isNewer(process) || process.took);
}

/**
 * A process ends; returns what is wrong with that. Whoever owned the sockets leaves them to its sibling if the sibling
 * lives. No owner at all is right only where one side has died on its own and the other was down.
 */
export function end(state: State, side: Index, how: "term" | "crash", rules: Rules): string | undefined {
  const sibling = state.actual[other(side)];
  if (state.owner !== side) return undefined;
  const rescued = serves(sibling) && (how === "term" ? rules.yields : rules.takeBack);
  state.owner = rescued ? other(side) : null;
  if (rescued) {
    serve(state, other(side));
    return undefined;
  }
  const excused = how === "crash" ? !serves(sibling) : sibling.fell;
  return excused
    ? undefined
    : `nobody accepts: ${how} of side ${side + 1} while the other one is ${sibling.st} ${sibling.img}`;
}

/** This side accepts from now on. */
export function serve(state: State, side: Index): void {
  state.owner = side;
  state.actual[side].took = true;
  state.actual[side].fell = false;
}

/** What a process may do by itself: take over from an older one, or bind where nobody accepts. */
export function moves(state: State, side: Index): "takeover" | "bind" | undefined {
  const process = state.actual[side];
  if (!serves(process)) return undefined;
  if (state.owner === null) return "bind";
  const older = state.actual[other(side)].v < process.v;
  return state.owner === other(side) && isNewer(process) && !process.took && older ? "takeover" : undefined;
}
