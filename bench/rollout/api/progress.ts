// SPDX-License-Identifier: Apache-2.0
import { pairNames, type Pod } from "@hot/spec";
import { BASE, EMPTY } from "./objects.ts";

/** What the watch shows of a hot upgrade, in its order. */
export const STEPS = ["upgraded", "received", "reset", "settled"] as const;
export type Step = (typeof STEPS)[number];

/** Notes when each pod gets to each step of its upgrade to one image. */
export class Progress {
  readonly #wish: string;
  readonly #pods: number;
  readonly #times: Readonly<Record<Step, Map<string, number>>> = {
    upgraded: new Map(),
    received: new Map(),
    reset: new Map(),
    settled: new Map(),
  };

  constructor(pods: number, wish: string) {
    this.#pods = pods;
    this.#wish = wish;
  }

  /** To be called at every change; returns whether all pods have settled. */
  observe(key: string, pod: Pod, at: number): boolean {
    for (const step of stepsOf(pod, this.#wish)) if (!this.#times[step].has(key)) this.#times[step].set(key, at);
    return this.#times.settled.size >= this.#pods;
  }

  /** Of the pods that have got there, in order. */
  times(step: Step): number[] {
    return [...this.#times[step].values()].toSorted((a, b) => a - b);
  }

  /** Milliseconds between two steps of each pod that has got to both. */
  between(from: Step, to: Step): number[] {
    return [...this.#times[to]].flatMap(([key, at]) => at - (this.#times[from].get(key) ?? Number.NaN));
  }
}

export function stepsOf({ metadata, spec, status }: Pod, wish: string): Step[] {
  const sides = pairNames(BASE).map((name) => ({
    image: spec.containers.find((one) => one.name === name)?.image,
    status: status?.containerStatuses?.find((one) => one.name === name),
  }));
  const target = sides.find(({ image }) => image === wish);
  if (target === undefined) return [];
  const runs = (side: (typeof sides)[number]): boolean =>
    side.status?.ready === true && side.status.image === side.image;
  const isReset = sides.some(({ image }) => image === EMPTY);
  const isObserved = status?.observedGeneration === metadata.generation;
  return STEPS.filter(
    (step) =>
      step === "upgraded" ||
      (step === "received" && runs(target)) ||
      (step === "reset" && isReset) ||
      (step === "settled" && isReset && isObserved && sides.every(runs)),
  );
}
