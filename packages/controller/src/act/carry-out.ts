// SPDX-License-Identifier: Apache-2.0
import type { Clock, FairGate } from "@hot/kube";
import { reasonCode } from "@hot/spec";
import type { Log } from "../effects.ts";
import { refusedEvent, type PlannedEvent } from "../plan/events.ts";
import type { Plan, PlannedWrite } from "../plan/plan.ts";
import type { PodProjection } from "../plan/pod-projection.ts";
import type { WriteKind } from "../plan/snapshot.ts";
import { reasonOf, type Refusals } from "./refusals.ts";
import { UnfinishedError } from "../unfinished.ts";
import { addedMetadata } from "./added-metadata.ts";
import { applyCondition, applyWrite, type Outcome, type Writing } from "./apply.ts";
import { inParallel } from "./in-parallel.ts";
import { beginTurn } from "./turn.ts";

export interface CarryOutOptions {
  readonly clock: Clock;
  /** What lets writes of pods pass. */
  readonly gate: Pick<FairGate, "run">;
  /** Writes of pods that may wait at the gate at once. */
  readonly maxWrites: number;
  readonly log: Log;
}

export interface CarryOutTools extends CarryOutOptions {
  readonly refusals: Pick<Refusals, "refuse">;
}

/** What is to be written to the pods of one SidecarSet. */
export interface Orders extends Pick<Plan, "writes" | "conditions"> {
  /** Of the SidecarSet. */
  readonly name: string;
  /** How long the plan took to be made, in milliseconds. */
  readonly planningMs: number;
  /** What a plan made now would write. */
  readonly planAgain: () => readonly PlannedWrite[];
  /** Why nothing may start at this moment; undefined: it may. */
  readonly startProblem: () => unknown;
  readonly emit: (events: readonly PlannedEvent[]) => void;
}

export interface CarriedOut {
  /** At least one pod was written. */
  readonly wrote: boolean;
  /** Something is left: it is to be planned again at once. */
  readonly hasLeft: boolean;
  /** Why not all was written that was begun. */
  readonly problems: readonly unknown[];
}

export type CarryOut = (orders: Orders, writing: Writing) => Promise<CarriedOut>;

/** Makes the function that writes to pods what a plan wants: as much of it as the plan is good for, and no more. */
export function createCarryOut({ clock, gate, maxWrites, log, refusals }: CarryOutTools): CarryOut {
  return async ({ name, writes, conditions, planningMs, planAgain, startProblem, emit }, writing) => {
    const { signal } = writing;
    const problems: unknown[] = [];
    let wrote = false;
    let isRefused = false;
    /** Of the last plan: a deadline counts from the one that lets the write pass. */
    let latest: ReadonlyMap<string, PlannedWrite> = new Map();
    const turn = beginTurn({
      now: () => clock.now(),
      planningMs,
      planAgain: () => (latest = new Map(planAgain().map((one) => [nameOf(one), one]))),
    });

    let isHindered = false;
    /** What hinders one start hinders all that are left; a mark begins nothing, but is held back by the same. */
    const mayBegin = ({ kind }: Pick<PlannedWrite, "kind">): boolean => {
      if (kind !== "upgrade" && kind !== "mark") return true;
      const problem = isHindered ? undefined : startProblem();
      if (problem !== undefined) {
        problems.push(problem);
        isHindered = true;
      }
      return !isHindered;
    };

    /** As many at once as the gate lets pass; once the signal is aborted, nothing more is begun. */
    const inTurn = <T>(
      items: readonly T[],
      may: (item: T) => boolean,
      task: (item: T) => Promise<void>,
    ): Promise<void> =>
      inParallel(items, maxWrites, async (item) => {
        if (turn.isOver() || !may(item)) return;
        await gate.run(name, signal, async () => {
          if (!signal.aborted && may(item)) await task(item);
        });
      });

    const settle = (pod: PodProjection, kind: WriteKind, outcome: Outcome, events: readonly PlannedEvent[]): void => {
      if (outcome.result === "committed") {
        wrote = true;
        log.info("pod written", { sidecarSet: name, pod: `${pod.namespace}/${pod.name}`, write: kind });
        emit(events);
      } else if ("error" in outcome) {
        const code = outcome.result === "refused" ? reasonCode("PatchRejected") : reasonCode("ApiUnreachable");
        log.warn(code.sentence, { code: code.code, pod: `${pod.namespace}/${pod.name}`, err: outcome.error });
        if (outcome.result === "refused") {
          // No reason to hold back the others: the next plan does without it.
          isRefused = true;
          refusals.refuse(name, pod, kind, outcome.error);
          emit([refusedEvent(pod, reasonOf(outcome.error))]);
        } else problems.push(outcome.error);
      } else if (outcome.result === "conflict") {
        problems.push(new UnfinishedError(`${pod.name} has changed or is being written`));
      }
    };

    await inTurn(writes, mayBegin, async (one) => {
      const { pod, kind } = one;
      const added = await addedMetadata(writing, pod, one.write.metadataOf);
      if ("outcome" in added) return settle(pod, kind, added.outcome, []);
      if (signal.aborted || !turn.admits(nameOf(one)) || !mayBegin(one)) return;
      const { write, events } = latest.get(nameOf(one)) ?? one;
      settle(pod, kind, await applyWrite(writing, pod, write, added.annotations), events);
    });
    await inTurn(
      conditions,
      () => true,
      async ({ pod, message, events }) => {
        if (!turn.admits()) return;
        settle(pod, "condition", await applyCondition(writing, pod, message, clock.now()), events);
      },
    );
    return { wrote, hasLeft: turn.hasLeft || isRefused, problems };
  };
}

/** A write of a pod as it is now. */
function nameOf({ pod, kind }: PlannedWrite): string {
  return `${kind} ${pod.uid} ${pod.resourceVersion}`;
}
