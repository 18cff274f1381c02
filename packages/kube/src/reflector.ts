// SPDX-License-Identifier: Apache-2.0
import type { Api, KubeObject, WatchEvent } from "./api.ts";
import { ApiError } from "./api-error.ts";
import { abortable } from "./abortable.ts";
import { backoffMs } from "./backoff.ts";
import { sleep, systemClock, type Clock } from "./clock.ts";
import { listAll, type Selection } from "./relist.ts";
import { compareResourceVersions } from "./resource-version.ts";
import { objectKey } from "./resources.ts";
import { createVersionedStore, type Change, type Entry, type Store } from "./store.ts";
import { createSubscribers } from "./subscribers.ts";
import { noteOf, WatchStatusError, type RestartCause } from "./restart-cause.ts";
import { takeTurns } from "./turns.ts";
import { watchOnce } from "./watch-session.ts";

export interface ReflectorOptions<T extends KubeObject, P> extends Selection {
  api: Pick<Api, "list" | "watch">;
  /** What the store keeps of an object; default: all of it. Must be pure. */
  project?: (object: T) => P;
  clock?: Clock;
  random?: () => number;
  /** Told about every failure that was survived, for the log. */
  onError?: (error: unknown, cause: RestartCause | "project" | "subscriber") => void;
  /** A stream without event and bookmark for longer is given up. Default: 90 s; servers send a bookmark every 60 s. */
  silenceMs?: number;
}

export interface ReflectorHealth {
  /** When the server was last heard: a list, an event or a bookmark; ms since the epoch. */
  lastEventAt: number | undefined;
  /** How often list or watch began anew, by cause. */
  restarts: Record<RestartCause, number>;
}

export interface Reflector<P> {
  readonly store: Store<P>;
  /** Lists and watches until the signal is aborted; then resolves. Never stops because of a failure. One at a time. */
  run(signal: AbortSignal): Promise<void>;
  /** Whether the store has held a complete list; stays true. */
  synced(): boolean;
  /** Resolves when synced; rejects with the signal's reason. */
  waitForSync(signal: AbortSignal): Promise<void>;
  /**
   * Called after the store has changed. What is in the store at the time of subscribing is not repeated; only a long list
   * that is being told of goes on.
   */
  subscribe(listener: (change: Change<P>) => void): Disposable;
  health(): ReflectorHealth;
}

const BACKOFF = { baseMs: 200, maxMs: 8_000 };
/** The longest wait that a server's Retry-After is followed for. */
const MAX_RETRY_AFTER_MS = 60_000;
/** A watch that ends sooner without an event has failed, whatever the server says. */
const SHORT_MS = 1_000;
const WATCH_SECONDS = { least: 240, spread: 240 };

/**
 * Keeps a copy of the objects of one resource, by one list and then a watch. Whatever happens to server and network,
 * the copy comes back to the truth by itself, and no object goes back to an older version in between.
 *
 * @example
 * const pods = createReflector({ api, resource: RESOURCES.pods });
 * pods.subscribe(({ key }) => queue.add(key));
 * void pods.run(signal);
 * await pods.waitForSync(signal);
 */
export function createReflector<T extends KubeObject = KubeObject, P = T>(
  options: ReflectorOptions<T, P>,
): Reflector<P> {
  const { api, resource, namespace, labelSelector, fieldSelector } = options;
  const { clock = systemClock, random = Math.random, silenceMs = 90_000 } = options;
  const project = options.project ?? ((object: T) => object as unknown as P);
  const selection: Selection = {
    resource,
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
  const report: NonNullable<typeof options.onError> = (error, cause) => {
    try {
      options.onError?.(error, cause);
    } catch {
      // A log that fails must not stop the copy from coming back to the truth.
    }
  };
  const known = createVersionedStore<P>();
  const subscribers = createSubscribers<Change<P>>((error) => report(error, "subscriber"));
  const restarts: Record<RestartCause, number> = {
    ended: 0,
    gone: 0,
    cut: 0,
    silent: 0,
    throttled: 0,
    refused: 0,
    malformed: 0,
    list: 0,
  };
  const synced = Promise.withResolvers<void>();
  let isSynced = false;
  let running = false;
  let lastEventAt: number | undefined;
  /** Where the next watch begins; undefined: a list is needed. */
  let position: string | undefined;
  let failures = 0;
  let events = 0;

  const heard = (): void => {
    lastEventAt = clock.now();
  };

  /** A projection that throws is a bug of its author: report it and keep what was known of the object. */
  const entryOf = (object: T, key: string): Entry<P> | undefined => {
    try {
      const { uid, resourceVersion } = object.metadata;
      return { object: project(object), uid, resourceVersion };
    } catch (error) {
      report(error, "project");
      return known.entry(key);
    }
  };

  /** Returns what has changed by it; undefined: it was given up. */
  const list = async (signal: AbortSignal): Promise<Iterable<Change<P>[]> | undefined> => {
    let entries = new Map<string, Entry<P>>();
    const version = await listAll(api, selection, signal, {
      begin: () => {
        entries = new Map();
      },
      visit: (object) => {
        const key = objectKey(object);
        const entry = entryOf(object as T, key);
        if (entry !== undefined) entries.set(key, entry);
      },
    });
    if (signal.aborted) return undefined;
    heard();
    position = version;
    return known.replace(entries);
  };

  /** To the end, whatever is aborted: what is in the store and was not told would never be. */
  const tellAll = async (changes: Iterable<Change<P>[]>): Promise<void> => {
    await subscribers.tellInTurns(changes, takeTurns(clock));
    isSynced = true;
    synced.resolve();
  };

  const advance = (version: string | undefined): void => {
    const order = compareResourceVersions(version, position);
    if (version !== undefined && (order === undefined || order > 0)) position = version;
  };

  const onEvent = (event: WatchEvent<T>): void => {
    if (event.type === "ERROR") throw new WatchStatusError(event.object);
    heard();
    events++;
    failures = 0;
    const { object } = event;
    if (event.type === "BOOKMARK") return advance(object.metadata.resourceVersion);
    const key = objectKey(object);
    let changes: Change<P>[] = [];
    if (event.type === "DELETED") {
      changes = known.delete(object);
    } else if (!known.isStale(object)) {
      const entry = entryOf(event.object, key);
      if (entry !== undefined) changes = known.set(entry, key);
    }
    advance(object.metadata.resourceVersion);
    subscribers.tell(changes);
  };

  const watch = async (signal: AbortSignal, resourceVersion: string): Promise<void> => {
    const startedAt = clock.now();
    const eventsBefore = events;
    const timeoutSeconds = Math.round(WATCH_SECONDS.least + WATCH_SECONDS.spread * random());
    await watchOnce<T>({ api, selection, resourceVersion, timeoutSeconds, silenceMs, clock, signal }, onEvent);
    if (signal.aborted) return;
    restarts.ended++;
    if (events === eventsBefore && clock.now() - startedAt < SHORT_MS) {
      await sleep(clock, backoffMs(BACKOFF, ++failures, random), signal);
    }
  };

  const survive = async (error: unknown, wasListing: boolean, signal: AbortSignal): Promise<void> => {
    const { cause, relist } = noteOf(error, wasListing);
    restarts[cause]++;
    if (relist) position = undefined;
    report(error, cause);
    const asked = error instanceof ApiError ? Math.min(error.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS) : 0;
    await sleep(clock, Math.max(asked, backoffMs(BACKOFF, ++failures, random)), signal);
  };

  return {
    store: known.store,
    async run(signal) {
      if (running) throw new Error(`the reflector of ${resource.plural} runs already; abort its first run before`);
      running = true;
      try {
        while (!signal.aborted) {
          const from = position;
          try {
            if (from !== undefined) {
              await abortable(watch(signal, from), signal);
              continue;
            }
            const changes = await abortable(list(signal), signal);
            if (changes !== undefined) await tellAll(changes);
          } catch (error) {
            if (!signal.aborted) await survive(error, from === undefined, signal);
          }
        }
      } finally {
        running = false;
      }
    },
    synced: () => isSynced,
    waitForSync: (signal) => abortable(synced.promise, signal),
    subscribe: (listener) => subscribers.add(listener),
    health: () => ({ lastEventAt, restarts: { ...restarts } }),
  };
}
