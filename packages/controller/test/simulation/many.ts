// SPDX-License-Identifier: Apache-2.0
import { Worker } from "node:worker_threads";
import type { Outcome } from "./simulate.ts";

export interface Batch {
  readonly from: number;
  readonly count: number;
  readonly workers: number;
  /** Others are passed over; default: none. */
  readonly where?: (seed: number) => boolean;
  /** Name of a planted bug. */
  readonly bug?: string;
  /** Ends at the first seed that breaks an invariant. */
  readonly stopAtFirst?: boolean;
  /** Asked before each seed; true: no more are run. */
  readonly isLate?: () => boolean;
  readonly onOutcome?: (outcome: Outcome) => void;
}

export interface Summary {
  readonly seeds: number;
  readonly steps: number;
  readonly writes: number;
  /** In order of their seeds. */
  readonly failures: readonly Outcome[];
}

/** Runs many seeds on all given processors. */
export async function simulateMany(batch: Batch): Promise<Summary> {
  const { from, count, workers, bug, stopAtFirst, onOutcome, where = () => true, isLate = () => false } = batch;
  const failures: Outcome[] = [];
  const total = { seeds: 0, steps: 0, writes: 0 };
  let next = from;
  let left = count;
  const take = (): number => {
    left--;
    while (!where(next)) next++;
    return next++;
  };
  const isOver = (): boolean => left <= 0 || (stopAtFirst === true && failures.length > 0) || isLate();
  const one = async (): Promise<void> => {
    const worker = new Worker(new URL("worker.ts", import.meta.url), {
      workerData: { ...(bug !== undefined && { bug }) },
      execArgv: ["--conditions=@hot/source"],
    });
    try {
      while (!isOver()) {
        const outcome = await ask(worker, take());
        total.seeds++;
        total.steps += outcome.steps;
        total.writes += outcome.writes;
        if (outcome.violation !== undefined) failures.push(outcome);
        onOutcome?.(outcome);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: workers }, one));
  return { ...total, failures: failures.toSorted((a, b) => a.seed - b.seed) };
}

function ask(worker: Worker, seed: number): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (outcome: Outcome) => {
      worker.off("error", reject);
      resolve(outcome);
    });
    worker.postMessage(seed, []);
  });
}
