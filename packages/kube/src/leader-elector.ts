// SPDX-License-Identifier: Apache-2.0
import { abortable } from "./abortable.ts";
import type { Api } from "./api.ts";
import { ApiError } from "./api-error.ts";
import { sleep, systemClock, type Clock } from "./clock.ts";
import { held, isHeldBy, released, see, waitFor, type Lease, type SeenLease } from "./lease.ts";
import { RESOURCES } from "./resources.ts";

export interface LeaderElectorOptions {
  api: Pick<Api, "get" | "create" | "update">;
  namespace: string;
  /** Name of the Lease; it is made if it is not there. */
  name: string;
  /** Unique for each process, also for two in one pod after each other: `hot-webhook-7f9c_6a1e…`. */
  identity: string;
  /** How long others leave the lease alone after they have last seen it renewed. Default: 15 s. */
  leaseDurationMs?: number;
  /** How long the holder relies on a renewal, counted from its beginning. Default: 10 s. */
  renewDeadlineMs?: number;
  /** Time between renewals; a candidate looks twice as often. Default: 2 s. */
  retryPeriodMs?: number;
  clock?: Clock;
  /** Milliseconds of a clock that nobody sets. Default: `performance.now`. */
  monotonic?: () => number;
  random?: () => number;
  /** Told about every failure that was survived. */
  onError?: (error: unknown) => void;
  /** Told when this process becomes the leader, and when it no longer is. */
  onChange?: (isLeader: boolean) => void;
}

/** One term as the leader. */
export interface Leadership {
  /** Aborted when the term ends, before anybody else can have the lease. */
  readonly signal: AbortSignal;
  /**
   * Aborted when a write that is under way has to be given up: at once where the term is lost; after a clean stop not
   * before the lease can be relied on no longer, so that it is finished.
   */
  readonly writes: AbortSignal;
  /** Looks at the time itself: false after a pause of the process, even before `signal` has noticed. */
  isLeader(): boolean;
  /**
   * To be called immediately before each write; see `fencedApi`.
   *
   * @throws {NotLeaderError} when the term has ended, or its last renewal began too long ago
   */
  fence(): void;
}

export interface LeaderElector {
  /**
   * Stands as a candidate until the signal is aborted, and calls `lead` for each term. A term that is lost aborts its
   * `leadership.signal`; when `lead` has ended, the next term may begin. When `lead` ends by itself, so does this, with
   * its outcome. A lease that is held at the end is given back after `lead` has ended.
   */
  run(signal: AbortSignal, lead: (leadership: Leadership) => Promise<void>): Promise<void>;
  isLeader(): boolean;
}

/** A write was about to be sent by a process that is not, or no longer, the leader. Nothing was sent. */
export class NotLeaderError extends Error {
  override readonly name = "NotLeaderError";
  readonly code = "KUBE_NOT_LEADER";

  constructor(lease: string) {
    super(`nothing was sent: this process is not the holder of lease ${lease}. Leave the work to the one that is.`);
  }
}

/**
 * Elects one of several processes by a Lease, as client-go does and compatible with it: a candidate takes a lease that
 * it has not seen renewed for its duration by its own monotonic clock; every write goes with the version that was read.
 * The holder relies on a renewal only for `renewDeadlineMs` from its beginning, which is shorter than anybody else
 * waits from seeing it: so two never hold it at once, whatever is paused, cut off or slow.
 *
 * Unlike client-go's users a process that has lost the lease need not exit: what must not survive a term (queues,
 * expectations) belongs into `lead`, which starts anew, while caches go on. That keeps the admission server of the same
 * process up.
 *
 * @example
 * const elector = createLeaderElector({ api, namespace: "hot-system", name: "hot-controller", identity });
 * await elector.run(signal, (leadership) => work(fencedApi(api, leadership), leadership.signal));
 */
export function createLeaderElector(options: LeaderElectorOptions): LeaderElector {
  const { api, namespace, name, identity, clock = systemClock, random = Math.random } = options;
  const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000 } = options;
  const { monotonic = () => performance.now(), onError = () => undefined, onChange = () => undefined } = options;
  if (identity === "" || !(leaseDurationMs > renewDeadlineMs && renewDeadlineMs > 1.2 * retryPeriodMs)) {
    throw new RangeError("a leader elector needs an identity and leaseDuration > renewDeadline > 1.2 × retryPeriod");
  }
  const terms = { identity, leaseDurationMs };
  const requestMs = renewDeadlineMs / 2;
  let seen: SeenLease | undefined;
  /** As we have written it; undefined: has to be read before the next write. */
  let known: Lease | undefined;
  /** When the last renewal that was carried out began; by the monotonic clock. */
  let renewedAt = -Infinity;
  let term: Leadership | undefined;

  const inTime = (): boolean => monotonic() - renewedAt < renewDeadlineMs;

  /** Runs requests that end, one way or the other, after `ms`: what is abandoned changes nothing here any more. */
  const within = async <T>(
    ms: number,
    signal: AbortSignal,
    requests: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const abort = new AbortController();
    const stop = (): void => abort.abort(signal.reason);
    const error = new Error(`lease ${namespace}/${name}: no answer within ${ms} ms`);
    const timer = clock.after(ms, () => abort.abort(error));
    signal.addEventListener("abort", stop);
    try {
      return await requests(abort.signal);
    } finally {
      timer[Symbol.dispose]();
      signal.removeEventListener("abort", stop);
    }
  };

  const read = async (signal: AbortSignal): Promise<Lease | undefined> => {
    try {
      return await abortable(api.get<Lease>(RESOURCES.leases, name, { namespace, signal }), signal);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  };

  const write = async (lease: Lease | undefined, spec: object, signal: AbortSignal): Promise<Lease> => {
    const base = lease ?? { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name, namespace } };
    const verb = lease === undefined ? "create" : "update";
    return abortable(api[verb]<Lease>(RESOURCES.leases, { ...base, spec }, { namespace, signal }), signal);
  };

  /** Takes or renews the lease; false if it is somebody else's. */
  const hold = async (signal: AbortSignal): Promise<boolean> => {
    const wasKnown = known !== undefined;
    const lease = known ?? (await read(signal));
    known = undefined;
    seen = see(seen, lease, monotonic(), leaseDurationMs);
    if (waitFor(seen, terms, monotonic()) > 0) return false;
    // Before the request: others can't see the renewal earlier than this.
    const began = monotonic();
    try {
      known = await write(lease, held(lease, terms, clock.now()), signal);
    } catch (error) {
      const outdated = error instanceof ApiError && (error.status === 409 || error.status === 404);
      if (outdated && wasKnown) return hold(signal);
      if (outdated) return false;
      throw error;
    }
    seen = see(seen, known, began, leaseDurationMs);
    renewedAt = began;
    return true;
  };

  const attempt = async (signal: AbortSignal): Promise<boolean | "failed"> => {
    try {
      return await within(requestMs, signal, hold);
    } catch (error) {
      if (!signal.aborted) onError(error);
      return "failed";
    }
  };

  /** Resolves when the lease is held, or the signal is aborted. */
  const acquire = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted && (await attempt(signal)) !== true) {
      await sleep(clock, (retryPeriodMs / 2) * (0.75 + random() / 2), signal);
    }
  };

  /** Renews until the term ends. */
  const keep = async (signal: AbortSignal, end: () => void): Promise<void> => {
    while (!signal.aborted && inTime()) {
      const deadline = clock.after(renewedAt + renewDeadlineMs - monotonic(), end);
      await sleep(clock, retryPeriodMs, signal);
      const isLost = signal.aborted || !inTime() || (await attempt(signal)) === false;
      deadline[Symbol.dispose]();
      if (isLost) return;
    }
  };

  const lead = async (signal: AbortSignal, work: (leadership: Leadership) => Promise<void>): Promise<boolean> => {
    const ending = new AbortController();
    const end = (): void => ending.abort(new NotLeaderError(`${namespace}/${name}`));
    const givingUp = new AbortController();
    const giveUp = (): void => givingUp.abort(new NotLeaderError(`${namespace}/${name}`));
    const isLeader = (): boolean => !ending.signal.aborted && inTime();
    const fence = (): void => {
      if (isLeader()) return;
      end();
      ending.signal.throwIfAborted();
    };
    const own: Leadership = { signal: ending.signal, writes: givingUp.signal, isLeader, fence };
    term = own;
    signal.addEventListener("abort", end);
    let endedByItself = false;
    onChange(true);
    const working = (async () => work(own))().finally(() => {
      endedByItself = !ending.signal.aborted;
      end();
    });
    working.catch(() => undefined); // its failure is reported below
    await keep(ending.signal, end);
    end();
    signal.removeEventListener("abort", end);
    onChange(false);
    const deadline = clock.after(signal.aborted ? renewedAt + renewDeadlineMs - monotonic() : 0, giveUp);
    if (!signal.aborted) giveUp();
    try {
      await working;
    } catch (error) {
      if (endedByItself) throw error;
      if (error !== ending.signal.reason) onError(error); // work that was told to end may end in any way
    } finally {
      deadline[Symbol.dispose]();
      renewedAt = -Infinity;
      term = undefined;
    }
    return endedByItself;
  };

  /** Whatever happened to our last write: what bears our name is given back. */
  const release = async (): Promise<void> => {
    const forEver = new AbortController().signal;
    try {
      await within(retryPeriodMs, forEver, async (signal) => {
        const lease = await read(signal);
        if (lease !== undefined && isHeldBy(lease, identity)) await write(lease, released(lease, clock.now()), signal);
      });
    } catch (error) {
      onError(error);
    }
  };

  return {
    isLeader: () => term?.isLeader() ?? false,
    run: async (signal, work) => {
      try {
        for (let ended = false; !signal.aborted && !ended;) {
          await acquire(signal);
          if (!signal.aborted && inTime()) ended = await lead(signal, work);
        }
      } finally {
        await release();
      }
    },
  };
}
