// SPDX-License-Identifier: Apache-2.0
import { broken, unsettled } from "./invariants.ts";
import type { Rules } from "./rules.ts";
import { initial, keyOf, viewOf, type State } from "./state.ts";
import { createTransitions, type Bounds } from "./transitions.ts";

export interface Exploration {
  states: number;
  steps: number;
  /** Kinds of steps that were taken at least once. */
  labels: Set<string>;
  /** The first violation, with the shortest way to it. */
  violation?: { what: string; trace: string[]; state: State };
}

/** Visits every state that can be reached within the bounds, breadth first, until something is violated. */
export function explore(rules: Rules, bounds: Bounds, limit = Infinity): Exploration {
  const { steps, decide } = createTransitions(rules, bounds);
  const first = initial();
  const seen = new Map<string, number>([[keyOf(first), 0]]);
  const states: { state: State | undefined; parent: number; label: string }[] = [
    { state: first, parent: -1, label: "" },
  ];
  const result: Exploration = { states: 1, steps: 0, labels: new Set() };
  const trace = (index: number): string[] => {
    const way: string[] = [];
    for (let at = index; at > 0; at = states[at]!.parent) way.unshift(states[at]!.label);
    return way;
  };

  for (let index = 0; index < states.length && index < limit; index++) {
    const { state } = states[index]!;
    if (state === undefined) continue;
    let progress = false;
    for (const next of steps(state)) {
      result.steps++;
      result.labels.add(next.label);
      const key = keyOf(next.state);
      const before = seen.get(key);
      progress ||= next.progress && before !== index;
      const what = next.violation ?? broken(next.state);
      if (what !== undefined) {
        return {
          ...result,
          states: states.length,
          violation: { what, trace: [...trace(index), next.label], state: next.state },
        };
      }
      if (before !== undefined) continue;
      seen.set(key, states.length);
      states.push({ state: next.state, parent: index, label: next.label });
    }
    if (!progress) {
      const what = unsettled(state, decide(viewOf(state), state.wish, null, state.late).reason);
      if (what !== undefined)
        return { ...result, states: states.length, violation: { what, trace: trace(index), state } };
    }
    // Only the way back is needed from here on.
    states[index]!.state = undefined;
  }
  return { ...result, states: states.length };
}
