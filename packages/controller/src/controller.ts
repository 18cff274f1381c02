// SPDX-License-Identifier: Apache-2.0
import {
  createFairGate,
  createWorkQueue,
  objectKey,
  pacedApi,
  perKeyBackoff,
  sleep,
  systemClock,
  takeTurns,
  type Api,
  type Clock,
  type EventRecorder,
  type KubeObject,
  type Reflector,
} from "@hot/kube";
import { retryToken, REVISION_OWNER_LABEL, type ControllerRevision, type SidecarSet } from "@hot/spec";
import { createExpectations } from "./act/expectations.ts";
import { createRevisions } from "./act/revisions.ts";
import { silent, type Log, type OnMetric } from "./effects.ts";
import { emitTo } from "./emit-event.ts";
import { createPlanMetrics, gateMetrics, queueMetrics } from "./metrics.ts";
import type { PodProjection } from "./plan/pod-projection.ts";
import { createInjectionIndex, type InjectionIndex } from "./injection-index.ts";
import type { IsInjectable } from "./plan/injectable.ts";
import { createPodIndex } from "./pod-index.ts";
import { createReconciler, type Reconcile } from "./reconcile.ts";
import { createSeenSidecarSets } from "./seen-sidecar-sets.ts";
import { UnfinishedError } from "./unfinished.ts";
import { observeUpgrades } from "./upgrade-metrics.ts";

export interface ControllerOptions {
  readonly api: Api;
  /** Run by the caller, who needs them for admission too. */
  readonly sidecarSets: Reflector<SidecarSet>;
  /** Run by the caller. Only labels are read. */
  readonly namespaces: Reflector<Pick<KubeObject, "metadata">>;
  /**
   * All pods, reduced by `projectPod`. Run by the caller, so that a replica that is not the leader has them at hand when
   * it becomes the leader.
   */
  readonly pods: Reflector<PodProjection>;
  /** Which pods admission is asked about; default: all. Others are never reported as pods that run without sidecars. */
  readonly isInjectable?: IsInjectable;
  /** Where ControllerRevisions are kept, and those of SidecarSets there, run by the caller. Absent: none are written. */
  readonly history?: { readonly namespace: string; readonly revisions: Reflector<ControllerRevision> };
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly log?: Log;
  /** With `giveWay`, good news waits for writes of pods. */
  readonly events?: Pick<EventRecorder, "event"> & Partial<Pick<EventRecorder, "giveWay">>;
  readonly onMetric?: OnMetric;
  /** Most writes of pods at once, at least 1; default 32. How many there are is learned from the API server's answers. */
  readonly maxWrites?: number;
}

export interface Controller {
  /** Reconciles until the signal is aborted; resolves when the last write has ended. */
  run(signal: AbortSignal): Promise<void>;
  /** Whether all caches are complete, so that decisions are made. */
  ready(): boolean;
}

/** SidecarSets that are looked at at once. Their writes are held back by the gate alone. */
const WORKERS = 32;
/** Writes of pods at once, before anything is known of the API server; and the most. */
const WRITES = { start: 8, most: 32 };
/** Failures come again within 8 s, however long the API server was away. */
const BACKOFF = { baseMs: 50, maxMs: 8_000 };

/**
 * The SidecarSet controller. Whatever happens to it — killed after any write, a cache that is behind, an answer that is
 * lost — the pods end in the same state, and no side of a hot pair is emptied before the other one is seen serving.
 *
 * @example
 * const pods = createReflector({ api, resource: RESOURCES.pods, project: projectPod });
 * const controller = createController({ api, sidecarSets, namespaces, pods });
 * await Promise.all([sidecarSets, namespaces, pods, controller].map((one) => one.run(signal)));
 */
export function createController(options: ControllerOptions): Controller {
  const { sidecarSets, namespaces, pods, history, clock = systemClock, maxWrites = WRITES.most } = options;
  const { random = Math.random, log = silent } = options;
  const onMetric: OnMetric = options.onMetric ?? (() => undefined);
  const index = createPodIndex();
  const expectations = createExpectations(() => clock.now());
  const gate = createFairGate({
    clock,
    start: Math.min(WRITES.start, maxWrites),
    most: maxWrites,
    metrics: gateMetrics(onMetric),
  });
  const api = pacedApi(options.api, gate, clock);
  const queue = createWorkQueue<string>({
    clock,
    random,
    metrics: queueMetrics(onMetric),
    rateLimiter: perKeyBackoff(BACKOFF, random),
  });
  const planMetrics = createPlanMetrics(onMetric);
  const observeUpgrade = observeUpgrades(onMetric, () => clock.now());
  const record = emitTo(options.events);
  const labelsOf = (namespace: string): Readonly<Record<string, string>> | undefined => {
    const found = namespaces.store.get(namespace);
    return found && (found.metadata.labels ?? {});
  };
  const seen = createSeenSidecarSets(sidecarSets.store);
  /** Takes over what changes as soon as it is there; asked once it knows all pods. */
  let injection: InjectionIndex | undefined;
  let knowsAll = false;
  /** SidecarSet → its version after our last write. */
  const ownStatus = new Map<string, string>();
  // What others have written, or we ourselves without an answer, may be no longer true.
  const isOwnWrite = ({ metadata }: SidecarSet): boolean =>
    ownStatus.get(metadata.name ?? "") === metadata.resourceVersion;
  const revisions =
    history &&
    createRevisions({
      api,
      store: history.revisions.store,
      ...history,
      now: () => clock.now(),
      see: (live) => seen.see(live),
    });
  const reconcile = createReconciler({
    api,
    ...(revisions && { revisions }),
    sidecarSets: seen,
    podsOf: (name) => index.podsOf(name),
    podOf: (name, key) => index.podOf(name, key),
    changesOf: (name) => index.changesOf(name),
    namespaces: labelsOf,
    injection: {
      of: (name) => (knowsAll ? injection?.of(name) : undefined),
      reported: (name, told) => injection?.reported(name, told),
    },
    expectations,
    clock,
    turns: takeTurns(clock),
    gate,
    maxWrites,
    log,
    emit: (event, sidecarSet) => {
      observeUpgrade(event);
      record(event, sidecarSet);
    },
    observe: (name, planned) => planMetrics.observe(name, planned),
    statusWritten: ({ metadata }) => void ownStatus.set(metadata.name ?? "", metadata.resourceVersion ?? ""),
  });
  const caches = [pods, sidecarSets, namespaces, ...(history ? [history.revisions] : [])];
  const ready = (): boolean => caches.every((one) => one.synced());

  const watch = (): Disposable[] => [
    ...(options.events?.giveWay ? [options.events.giveWay(() => gate.busy)] : []),
    pods.subscribe(({ type, key, object, previous }) => {
      if (type === "deleted") expectations.forget(object.uid);
      if (previous !== undefined && previous.uid !== object.uid) expectations.forget(previous.uid);
      const now = type === "deleted" ? undefined : object;
      for (const name of index.update(key, now)) queue.add(name);
      for (const name of injection?.pod(key, now) ?? []) queue.add(name);
    }),
    sidecarSets.subscribe(({ type, object, previous }) => {
      const same = type === "modified" && previous !== undefined && sameSpec(object, previous) && isOwnWrite(object);
      if (type === "deleted") ownStatus.delete(objectKey(object));
      else seen.see(object);
      if (!same) queue.add(objectKey(object));
      const gone = type === "deleted" || object.metadata.deletionTimestamp !== undefined;
      for (const name of injection?.sidecarSet(objectKey(object), gone ? undefined : object) ?? []) queue.add(name);
    }),
    namespaces.subscribe(({ key, type, object, previous }) => {
      if (type === "modified" && JSON.stringify(previous?.metadata.labels) === JSON.stringify(object.metadata.labels))
        return;
      for (const name of injection?.namespace(key) ?? []) queue.add(name);
      for (const one of sidecarSets.store.list()) {
        if (one.spec.namespaceSelector !== undefined) queue.add(objectKey(one));
      }
    }),
    ...(history
      ? [
          history.revisions.subscribe(({ object }) => {
            const owner = object.metadata.labels?.[REVISION_OWNER_LABEL] ?? "";
            revisions?.changed(owner);
            if (sidecarSets.store.get(owner) !== undefined) queue.add(owner);
          }),
        ]
      : []),
  ];

  /** All pods as they are at that moment, whatever happens to them meanwhile. */
  const eachPod = async (signal: AbortSignal, visit: (key: string, pod: PodProjection) => void): Promise<void> => {
    const turns = takeTurns(clock);
    for (const key of pods.store.keys()) {
      const pause = turns.pause();
      if (pause !== undefined) await pause;
      if (signal.aborted) return;
      const pod = pods.store.get(key);
      if (pod !== undefined) visit(key, pod);
    }
  };

  /** Not before the caches are complete: each of their first objects would be compared with all others. */
  const findUninjected = async (signal: AbortSignal): Promise<void> => {
    knowsAll = false;
    const index = createInjectionIndex({
      pods: pods.store,
      namespaces: labelsOf,
      isInjectable: options.isInjectable ?? (() => true),
      sidecarSets: sidecarSets.store.list().filter((one) => one.metadata.deletionTimestamp === undefined),
    });
    injection = index;
    await eachPod(signal, (key, pod) => index.pod(key, pod));
    knowsAll = !signal.aborted;
  };

  const work = async (signal: AbortSignal): Promise<void> => {
    for (let name = await queue.get(); name !== undefined; name = await queue.get()) {
      const rest = await step(name, signal);
      // What comes meanwhile is planned for together.
      if (rest > 0) await sleep(clock, rest, signal);
      queue.done(name);
    }
  };

  const step = async (name: string, signal: AbortSignal): Promise<number> => {
    const startedAt = clock.now();
    const result = await attempt(reconcile, name, signal);
    onMetric("hot_reconcile_duration_seconds", {}, (clock.now() - startedAt) / 1000);
    onMetric("hot_reconcile_total", { result: result.outcome }, 1);
    if (result.outcome === "done" || result.wrote) queue.forget(name);
    if (result.outcome === "done") {
      if (result.after !== undefined) queue.addAfter(name, result.after);
      return result.rest;
    }
    if (result.outcome === "failed" && !signal.aborted)
      log.warn("A SidecarSet could not be reconciled.", { name, err: result.error });
    queue.addRateLimited(name);
    return result.rest;
  };

  return {
    ready,
    async run(signal) {
      const subscriptions = watch();
      const stop = (): void => queue.shutDown();
      signal.addEventListener("abort", stop);
      if (signal.aborted) stop();
      try {
        // Of SidecarSets that are gone, too: only their pods know of them.
        await eachPod(signal, (key, pod) => index.update(key, pod).forEach((name) => queue.add(name)));
        await synced(caches, signal);
        await findUninjected(signal);
        for (const one of sidecarSets.store.list()) queue.add(objectKey(one));
        await Promise.all(Array.from({ length: WORKERS }, () => work(signal)));
      } finally {
        signal.removeEventListener("abort", stop);
        for (const one of subscriptions) one[Symbol.dispose]();
        // Another replica reports from now on.
        planMetrics.clear();
      }
    },
  };
}

type Attempt =
  | { readonly outcome: "done"; readonly after?: number; readonly rest: number }
  | {
      readonly outcome: "unfinished" | "failed";
      readonly error: unknown;
      readonly wrote: boolean;
      readonly rest: number;
    };

async function attempt(reconcile: Reconcile, name: string, signal: AbortSignal): Promise<Attempt> {
  const failed = (error: unknown, wrote: boolean, rest: number): Attempt => ({
    outcome: error instanceof UnfinishedError ? "unfinished" : "failed",
    error,
    wrote,
    rest,
  });
  try {
    const { problem, wrote, after, rest } = await reconcile(name, signal);
    if (problem !== undefined) return failed(problem, wrote, rest);
    return { outcome: "done", rest, ...(after !== undefined && { after }) };
  } catch (error) {
    return failed(error, false, 0);
  }
}

/** Status, labels and other annotations of a SidecarSet are no reason to look again. */
function sameSpec(a: SidecarSet, b: SidecarSet): boolean {
  return (
    a.metadata.uid === b.metadata.uid &&
    a.metadata.generation === b.metadata.generation &&
    retryToken(a.metadata) === retryToken(b.metadata) &&
    a.metadata.deletionTimestamp === b.metadata.deletionTimestamp
  );
}

async function synced(
  reflectors: readonly Pick<Reflector<unknown>, "waitForSync">[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await Promise.all(reflectors.map((one) => one.waitForSync(signal)));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
