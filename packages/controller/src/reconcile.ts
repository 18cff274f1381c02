// SPDX-License-Identifier: Apache-2.0
import { ApiError, type Api, type Clock, type FairGate } from "@hot/kube";
import { reasonCode, type SidecarSet, type SidecarSetStatus } from "@hot/spec";
import { addedMetadata } from "./act/added-metadata.ts";
import { applyCondition, applyWrite, resolve, type Outcome, type Writing } from "./act/apply.ts";
import type { Expectations } from "./act/expectations.ts";
import { inParallel } from "./act/in-parallel.ts";
import type { Revisions } from "./act/revisions.ts";
import { createStatusPace } from "./act/status-pace.ts";
import { beginTurn, restAfter } from "./act/turn.ts";
import { SIDECAR_SETS, statusChanged, writeStatus } from "./act/write-status.ts";
import type { Log } from "./effects.ts";
import type { EmitEvent } from "./emit-event.ts";
import type { Plan, PlannedWrite } from "./plan/plan.ts";
import type { PodProjection } from "./plan/pod-projection.ts";
import { createRecall, type Recall, type Sighting } from "./plan/recall.ts";
import { isActive, type NamespaceLabels } from "./plan/select-pods.ts";
import type { ReceiptTimes, WriteKind } from "./plan/snapshot.ts";
import { refusedEvent, type PlannedEvent } from "./plan/events.ts";
import type { Uninjected } from "./plan/uninjected.ts";
import { createRefusals } from "./refusals.ts";
import { recordRevision } from "./record-revision.ts";
import type { SeenSidecarSets } from "./seen-sidecar-sets.ts";

export interface ReconcilerOptions {
  readonly api: Api;
  readonly sidecarSets: SeenSidecarSets;
  /** Pods that may concern a SidecarSet: injected by it, or with a record of it. */
  readonly podsOf: (name: string) => readonly PodProjection[];
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
  readonly clock: Clock;
  /** What lets writes of pods pass. */
  readonly gate: Pick<FairGate, "run">;
  /** Writes of pods that may wait at the gate at once. */
  readonly maxWrites: number;
  readonly log: Log;
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

/** The plan could not be carried out as a whole; the rest follows when it is made again. */
export class UnfinishedError extends Error {
  override readonly name = "UnfinishedError";
}

/** Reads at once. */
const PARALLEL = 8;
/** In milliseconds. A deadline may lie years ahead, and a timer that is too long for Node fires at once. */
const LONGEST_WAIT = 60 * 60_000;

/** Makes the function that brings one SidecarSet and its pods one step further: snapshot, plan, act. */
export function createReconciler(options: ReconcilerOptions): Reconcile {
  const { api, clock, expectations } = options;
  const receipts = new Map<string, ReceiptTimes>();
  const recalls = new Map<string, Recall>();
  const refusals = createRefusals();
  const pace = createStatusPace(() => clock.now());
  const cached = (name: string): SidecarSet | undefined => present(options.sidecarSets.get(name));

  const recallOf = (name: string): Recall => {
    const known = recalls.get(name) ?? createRecall();
    recalls.set(name, known);
    return known;
  };

  const decide = (sighting: Sighting): Plan => recallOf(sighting.name).plan(sighting);

  const snapshotOf = (name: string, sidecarSet: SidecarSet | undefined, live: boolean): Sighting => {
    const pods = options.podsOf(name);
    const uninjected = options.injection.of(name);
    return {
      name,
      ...(sidecarSet ? { sidecarSet } : { orphans: pods.filter(isActive) }),
      live,
      pods,
      namespaces: options.namespaces,
      ...(uninjected && { uninjected }),
      pending: expectations.pending(pods),
      receipts: receipts.get(name) ?? new Map(),
      now: clock.now(),
    };
  };

  const consider = async (
    name: string,
    stored: SidecarSet | undefined,
    live: boolean,
    signal: AbortSignal,
  ): Promise<Considered> => {
    const { sidecarSet, problem } = await recordRevision(stored, options.podsOf, options.revisions, signal);
    const beganAt = clock.now();
    const snapshot = snapshotOf(name, sidecarSet, live);
    const planned = decide(snapshot);
    // Without what the API server takes for its answers: that burdens nobody here.
    return { stored, snapshot, planned, planningMs: clock.now() - beganAt, ...(problem !== undefined && { problem }) };
  };

  const readLive = (name: string, signal: AbortSignal): Promise<SidecarSet | undefined> =>
    options.sidecarSets.read(name, () => getOrNone(api, name, signal));

  const planFor = async (name: string, signal: AbortSignal): Promise<Considered> => {
    const considered = await consider(name, cached(name), false, signal);
    if (!considered.planned.needsLiveSidecarSet) return considered;
    return consider(name, present(await readLive(name, signal)), true, signal);
  };

  /** Writes the status where it says anything new; returns how long it has to wait, in milliseconds. */
  const report = async (
    name: string,
    stored: SidecarSet | undefined,
    status: SidecarSetStatus | undefined,
    problems: unknown[],
    signal: AbortSignal,
  ): Promise<number> => {
    if (stored === undefined || status === undefined) {
      pace.forget(name);
      return 0;
    }
    if (!statusChanged(stored, status)) return 0;
    const held = pace.wait(name, stored.status ?? {}, status);
    if (held > 0) return held;
    try {
      const after = await writeStatus(api, stored, status);
      options.sidecarSets.see(after);
      options.statusWritten(after);
      pace.wrote(name);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) problems.push(error);
      // Otherwise the cache will say what there is now; but not after etcd was restored, where that is older.
      if (error instanceof ApiError && error.status === 409) await readLive(name, signal).catch(() => undefined);
    }
    return 0;
  };

  return async (name, signal) => {
    const writing: Writing = { api, expectations, signal };
    await inParallel(expectations.unresolved(options.podsOf(name)), PARALLEL, async (one) => {
      await resolve(writing, one);
    });
    const { stored, snapshot, planned, planningMs, problem } = await planFor(name, signal);
    const plannedAt = clock.now();
    /** Of the last plan: a deadline counts from the one that lets the write pass. */
    let latest: ReadonlyMap<string, PlannedWrite> = new Map();
    const turn = beginTurn({
      now: () => clock.now(),
      planningMs,
      planAgain: () => {
        const { writes } = decide(snapshotOf(name, snapshot.sidecarSet, snapshot.live));
        latest = new Map(writes.map((one) => [nameOf(one), one]));
        return latest;
      },
    });
    let wrote = false;
    /** As many at once as the gate lets pass; once the signal is aborted, nothing more is begun. */
    const inTurn = <T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> =>
      inParallel(items, options.maxWrites, async (item) => {
        if (turn.isOver()) return;
        await options.gate.run(name, signal, async () => {
          if (!signal.aborted) await task(item);
        });
      });
    remember(receipts, name, planned.receipts);
    if (snapshot.sidecarSet === undefined && planned.reasons.size === 0) recalls.delete(name);
    const emit = (events: readonly PlannedEvent[]): void => {
      for (const event of events) options.emit(event, snapshot.sidecarSet);
    };
    emit(planned.events);
    options.injection.reported(name, snapshot.uninjected?.fresh ?? []);
    const problems: unknown[] = problem === undefined ? [] : [problem];
    // Nothing else may happen that would bring us back to them.
    for (const one of expectations.unresolved(options.podsOf(name))) {
      problems.push(new UnfinishedError(`nobody knows whether ${one.name} was written`));
    }
    const settle = (pod: PodProjection, kind: WriteKind, outcome: Outcome, events: readonly PlannedEvent[]): void => {
      if (outcome.result === "committed") {
        wrote = true;
        options.log.info("pod written", { sidecarSet: name, pod: `${pod.namespace}/${pod.name}`, write: kind });
        emit(events);
      } else if ("error" in outcome) {
        const code = outcome.result === "refused" ? reasonCode("PatchRejected") : reasonCode("ApiUnreachable");
        options.log.warn(code.sentence, { code: code.code, pod: `${pod.namespace}/${pod.name}`, err: outcome.error });
        if (outcome.result === "refused") emit(refusals.news(refusedEvent(pod, outcome.error)));
        problems.push(outcome.error);
      } else if (outcome.result === "conflict")
        problems.push(new UnfinishedError(`${pod.name} has changed or is being written`));
    };
    options.observe(name, planned);
    // Beside the writes, which may have to wait: what it says does not depend on them.
    const reporting = report(name, stored, planned.status, problems, signal);
    await inTurn(planned.writes, async (one) => {
      if (isStart(one) && problem !== undefined) return;
      const added = await addedMetadata(writing, one.pod, one.write.metadataOf);
      if ("outcome" in added) return settle(one.pod, one.kind, added.outcome, []);
      if (signal.aborted || !turn.admits(nameOf(one))) return;
      if (isStart(one) && !isCurrent(snapshot, cached(name))) {
        problems.push(new UnfinishedError(`SidecarSet ${name} has changed`));
        return;
      }
      const { write, events } = latest.get(nameOf(one)) ?? one;
      settle(one.pod, one.kind, await applyWrite(writing, one.pod, write, added.annotations), events);
    });
    await inTurn(planned.conditions, async ({ pod, message, events }) => {
      if (!turn.admits()) return;
      settle(pod, "condition", await applyCondition(writing, pod, message, clock.now()), events);
    });
    const held = await reporting;
    signal.throwIfAborted();
    const rest = restAfter(planningMs, clock.now() - plannedAt);
    if (problems.length > 0) return { problem: firstOf(problems), wrote, rest };
    const waits = [
      ...(turn.hasLeft ? [0] : []),
      ...(held > 0 ? [held] : []),
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

function remember(receipts: Map<string, ReceiptTimes>, name: string, times: ReceiptTimes): void {
  if (times.size === 0) receipts.delete(name);
  else receipts.set(name, times);
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

/** A write of a pod as it is now. */
function nameOf({ pod, kind }: PlannedWrite): string {
  return `${kind} ${pod.uid} ${pod.resourceVersion}`;
}

function isStart({ kind }: PlannedWrite): boolean {
  return kind === "upgrade";
}

/** Nothing starts after a pause, or any other change of the spec, has been seen. */
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
