// SPDX-License-Identifier: Apache-2.0
import { ApiError, type Api, type Turns } from "@hot/kube";
import type { SidecarSet } from "@hot/spec";
import { resolve, type Writing } from "./act/apply.ts";
import { createCarryOut, type CarryOutOptions } from "./act/carry-out.ts";
import { createDroppedStatus } from "./act/dropped-status.ts";
import type { Expectations } from "./act/expectations.ts";
import { inParallel } from "./act/in-parallel.ts";
import { createRefusals, isRefusal, reasonOf } from "./act/refusals.ts";
import { createStatusReport } from "./act/report-status.ts";
import type { Revisions } from "./act/revisions.ts";
import { restAfter } from "./act/turn.ts";
import { SIDECAR_SETS } from "./act/write-status.ts";
import type { EmitEvent } from "./emit-event.ts";
import type { Changes } from "./plan/changes.ts";
import type { Plan } from "./plan/plan.ts";
import type { PodProjection } from "./plan/pod-projection.ts";
import { createRecall, type Recall, type Sighting } from "./plan/recall.ts";
import { isActive, type NamespaceLabels } from "./plan/select-pods.ts";
import type { ReceiptTimes } from "./plan/snapshot.ts";
import type { PlannedEvent } from "./plan/events.ts";
import { unrecordedEvent } from "./plan/unrecorded.ts";
import type { Uninjected } from "./plan/uninjected.ts";
import { recordRevision } from "./record-revision.ts";
import type { SeenSidecarSets } from "./seen-sidecar-sets.ts";
import { UnfinishedError } from "./unfinished.ts";

export interface ReconcilerOptions extends CarryOutOptions {
  readonly api: Api;
  readonly sidecarSets: SeenSidecarSets;
  /** Pods that may concern a SidecarSet: injected by it, or with a record of it. */
  readonly podsOf: (name: string) => readonly PodProjection[];
  /** One of them, by its key. */
  readonly podOf: (name: string, key: string) => PodProjection | undefined;
  readonly changesOf: (name: string) => Changes | undefined;
  readonly namespaces: NamespaceLabels;
  readonly injection: {
    /** Pods that run without the SidecarSet; undefined: not known yet. */
    of(name: string): Uninjected | undefined;
    /** These have been told of. */
    reported(name: string, pods: readonly PodProjection[]): void;
  };
  /** Absent: no history is kept. */
  readonly revisions?: Pick<Revisions, "sync">;
  readonly expectations: Expectations;
  /** Of all SidecarSets together. */
  readonly turns: Turns;
  readonly emit: EmitEvent;
  readonly observe: (name: string, plan: Plan) => void;
  /** Our own write of a status has made this of it. */
  readonly statusWritten: (sidecarSet: SidecarSet) => void;
}

export interface Reconciled {
  /** When to come again though nothing happens, in milliseconds; absent: not before something does. */
  readonly after?: number;
  /** Not all could be done; the most telling of the reasons. */
  readonly problem?: unknown;
  /** At least one pod was written. */
  readonly wrote: boolean;
  /** Not to come again sooner, whatever happens, in milliseconds. */
  readonly rest: number;
}

export type Reconcile = (name: string, signal: AbortSignal) => Promise<Reconciled>;

/** Reads at once. */
const PARALLEL = 8;
/** When to look again at pods that are being written for another SidecarSet, in milliseconds: it may come to nothing. */
const PENDING = 1_000;
/** In milliseconds. A deadline may lie years ahead, and a timer that is too long for Node fires at once. */
const LONGEST_WAIT = 60 * 60_000;

/** Makes the function that brings one SidecarSet and its pods one step further: snapshot, plan, act. */
export function createReconciler(options: ReconcilerOptions): Reconcile {
  const { api, clock, expectations } = options;
  const receipts = new Map<string, ReceiptTimes>();
  const recalls = new Map<string, Recall>();
  /** Why no revision could be written, as it was last told. */
  const unrecorded = new Map<string, unknown>();
  const refusals = createRefusals(() => clock.now());
  const dropped = createDroppedStatus(() => clock.now());
  const cached = (name: string): SidecarSet | undefined => {
    const found = present(options.sidecarSets.get(name));
    return found && dropped.whole(found);
  };

  const recallOf = (name: string): Recall => {
    const known = recalls.get(name) ?? createRecall();
    recalls.set(name, known);
    return known;
  };

  const decide = (sighting: Sighting): Plan => recallOf(sighting.name).plan(sighting);

  const snapshotOf = (
    name: string,
    sidecarSet: SidecarSet | undefined,
    live: boolean,
    unrecorded?: string,
  ): Sighting => {
    const pods = options.podsOf(name);
    const changes = options.changesOf(name);
    const uninjected = options.injection.of(name);
    return {
      name,
      ...(sidecarSet ? { sidecarSet } : { orphans: pods.filter(isActive) }),
      live,
      pods,
      ...(changes && { changes }),
      namespaces: options.namespaces,
      ...(uninjected && { uninjected }),
      pending: expectations.pending((key) => options.podOf(name, key)),
      receipts: receipts.get(name) ?? new Map(),
      refused: refusals.of(name, sidecarSet),
      ...(unrecorded !== undefined && { unrecorded }),
      now: clock.now(),
    };
  };

  /**
   * Makes what follows a list, or another wish, a short plan: very many pods are looked at in turns. Returns how long
   * that took, in milliseconds.
   */
  const lookInTurns = async (name: string, signal: AbortSignal): Promise<number> => {
    const sidecarSet = cached(name);
    const recall = recallOf(name);
    if (recall.knows(sidecarSet)) return 0;
    let [spent, since] = [0, clock.now()];
    const sighting = snapshotOf(name, sidecarSet, false);
    for (const _ of recall.look({ ...sighting, pods: [...sighting.pods] })) {
      const pause = options.turns.pause();
      if (pause === undefined) continue;
      spent += clock.now() - since;
      await pause;
      since = clock.now();
      if (signal.aborted) break;
    }
    return spent + clock.now() - since;
  };

  const consider = async (
    name: string,
    stored: SidecarSet | undefined,
    live: boolean,
    signal: AbortSignal,
  ): Promise<Considered> => {
    const { sidecarSet, problem } = await recordRevision(stored, options.podsOf, options.revisions, signal);
    const beganAt = clock.now();
    const snapshot = snapshotOf(name, sidecarSet, live, isRefusal(problem) ? reasonOf(problem) : undefined);
    const planned = decide(snapshot);
    // Without what the API server takes for its answers: that burdens nobody here.
    return { stored, snapshot, planned, planningMs: clock.now() - beganAt, ...(problem !== undefined && { problem }) };
  };

  const readLive = async (name: string, signal: AbortSignal): Promise<SidecarSet | undefined> => {
    const live = await options.sidecarSets.read(name, () => getOrNone(api, name, signal));
    return live && dropped.whole(live);
  };

  const planFor = async (name: string, signal: AbortSignal): Promise<Considered> => {
    const lookingMs = await lookInTurns(name, signal);
    const planned = await consider(name, cached(name), false, signal);
    const considered = { ...planned, planningMs: planned.planningMs + lookingMs };
    if (!considered.planned.needsLiveSidecarSet) return considered;
    return consider(name, present(await readLive(name, signal)), true, signal);
  };

  const carryOut = createCarryOut({ ...options, refusals });
  const reportStatus = createStatusReport({
    api,
    clock,
    dropped,
    written: (after) => {
      options.sidecarSets.see(after);
      options.statusWritten(after);
    },
    readAgain: readLive,
  });

  /** Why nothing may start by a plan: a pause, or any other change of the spec, has been seen since it was made. */
  const startProblem = ({ snapshot, problem }: Considered): unknown =>
    problem ??
    (isCurrent(snapshot, cached(snapshot.name))
      ? undefined
      : new UnfinishedError(`SidecarSet ${snapshot.name} has changed`));

  return async (name, signal) => {
    const writing: Writing = { api, expectations, signal };
    await inParallel(
      expectations.unresolved((key) => options.podOf(name, key)),
      PARALLEL,
      async (one) => {
        await resolve(writing, one);
      },
    );
    const considered = await planFor(name, signal);
    const { stored, snapshot, planned, planningMs, problem } = considered;
    const plannedAt = clock.now();
    remember(receipts, name, planned.receipts.size === 0 ? undefined : planned.receipts);
    if (snapshot.sidecarSet === undefined && planned.reasons.size === 0) recalls.delete(name);
    const emit = (events: readonly PlannedEvent[]): void => {
      for (const event of events) options.emit(event, snapshot.sidecarSet);
    };
    emit(planned.events);
    // It is thrown again for a while, without another attempt.
    if (snapshot.unrecorded !== undefined && problem !== unrecorded.get(name))
      emit([unrecordedEvent(snapshot.unrecorded)]);
    remember(unrecorded, name, problem);
    options.injection.reported(name, snapshot.uninjected?.fresh ?? []);
    options.observe(name, planned);
    const problems: unknown[] = problem === undefined ? [] : [problem];
    // Nothing else may happen that would bring us back to them.
    for (const one of expectations.unresolved((key) => options.podOf(name, key))) {
      problems.push(new UnfinishedError(`nobody knows whether ${one.name} was written`));
    }
    // Beside the writes, which may have to wait: what it says does not depend on them.
    const reporting = reportStatus(name, stored, planned.status, signal).catch((error: unknown) => {
      problems.push(error);
      return 0;
    });
    const { wrote, hasLeft, ...carried } = await carryOut(
      {
        name,
        writes: planned.writes,
        conditions: planned.conditions,
        planningMs,
        planAgain: () => decide(snapshotOf(name, snapshot.sidecarSet, snapshot.live, snapshot.unrecorded)).writes,
        startProblem: () => startProblem(considered),
        emit,
      },
      writing,
    );
    const held = await reporting;
    signal.throwIfAborted();
    const rest = restAfter(planningMs, clock.now() - plannedAt);
    problems.push(...carried.problems);
    if (problems.length > 0) return { problem: firstOf(problems), wrote, rest };
    const waits = [
      ...(hasLeft ? [0] : []),
      ...(held > 0 ? [held] : []),
      ...(snapshot.pending.size > 0 ? [PENDING] : []),
      ...(planned.wakeAt === undefined ? [] : [planned.wakeAt - clock.now()]),
    ];
    if (waits.length === 0) return { wrote, rest };
    return { wrote, rest, after: Math.min(Math.max(0, Math.min(...waits)), LONGEST_WAIT) };
  };
}

/** A plan, what it was made from, and what has gone wrong on the way. */
interface Considered {
  /** The SidecarSet as the API server has it; that of the snapshot may name a newer revision. */
  readonly stored: SidecarSet | undefined;
  readonly snapshot: Sighting;
  readonly planned: Plan;
  /** How long it took to be made. */
  readonly planningMs: number;
  readonly problem?: unknown;
}

function remember<T>(known: Map<string, T>, name: string, one: T | undefined): void {
  if (one === undefined) known.delete(name);
  else known.set(name, one);
}

/** One that is being deleted starts nothing more. */
function present(sidecarSet: SidecarSet | undefined): SidecarSet | undefined {
  return sidecarSet?.metadata.deletionTimestamp === undefined ? sidecarSet : undefined;
}

async function getOrNone(api: Api, name: string, signal: AbortSignal): Promise<SidecarSet | undefined> {
  try {
    return await api.get<SidecarSet>(SIDECAR_SETS, name, { signal });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

function isCurrent({ sidecarSet, live }: Sighting, now: SidecarSet | undefined): boolean {
  if (now === undefined || sidecarSet === undefined) return live && sidecarSet !== undefined;
  const same =
    now.metadata.generation === sidecarSet.metadata.generation && now.metadata.uid === sidecarSet.metadata.uid;
  return same || (live && (now.metadata.generation ?? 0) < (sidecarSet.metadata.generation ?? 0));
}

/** What the API server refuses outright is more telling than what has merely changed meanwhile. */
function firstOf(problems: readonly unknown[]): unknown {
  return problems.find((one) => !(one instanceof UnfinishedError)) ?? problems[0];
}
