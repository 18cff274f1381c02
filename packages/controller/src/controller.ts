// SPDX-License-Identifier: Apache-2.0
import {
  createFairGate,
  createWorkQueue,
  objectKey,
  pacedApi,
  perKeyBackoff,
  sleep,
  systemClock,
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
import { createReconciler, UnfinishedError, type Reconcile } from "./reconcile.ts";
import { createSeenSidecarSets } from "./seen-sidecar-sets.ts";
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
  readonly events?: Pick<EventRecorder, "event">;
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
  let injection: InjectionIndex | undefined;
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
    namespaces: labelsOf,
    injection: {
      of: (name) => injection?.of(name),
      reported: (name, told) => injection?.reported(name, told),
    },
    expectations,
    clock,
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

  /** Not before the caches are complete: each of their first objects would be compared with all others. */
  const findUninjected = (): void => {
    injection = createInjectionIndex({
      pods: pods.store,
      namespaces: labelsOf,
      isInjectable: options.isInjectable ?? (() => true),
      sidecarSets: sidecarSets.store.list().filter((one) => one.metadata.deletionTimestamp === undefined),
    });
    for (const one of pods.store.list()) injection.pod(`${one.namespace}/${one.name}`, one);
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
      for (const one of pods.store.list()) index.update(`${one.namespace}/${one.name}`, one);
      const stop = (): void => queue.shutDown();
      signal.addEventListener("abort", stop);
      if (signal.aborted) stop();
      try {
        await synced(caches, signal);
        findUninjected();
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
