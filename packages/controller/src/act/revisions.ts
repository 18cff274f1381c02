// SPDX-License-Identifier: Apache-2.0
import { ApiError, type Api, type Store } from "@hot/kube";
import {
  REVISION_OWNER_LABEL,
  syncRevisions,
  type ControllerRevision,
  type RevisionSync,
  type SidecarSet,
} from "@hot/spec";
import { createRevision, editRevision, listRevisions, removeRevision } from "./write-revision.ts";
import { SIDECAR_SETS } from "./write-status.ts";

/** What the status of a SidecarSet says about its history. */
export type CurrentRevision = Pick<RevisionSync, "latest" | "collisionCount">;

export interface Revisions {
  /**
   * Makes the history end with the SidecarSet as it is. The cache only decides whether anything may have to be written:
   * what is written is planned on what the API server holds at that moment, and valid only for that. Soon after an
   * attempt that has failed there is no other one: the same error is thrown.
   *
   * @param usedByPods - asked only where the history is too long
   */
  sync(sidecarSet: SidecarSet, usedByPods: () => ReadonlySet<string>, signal: AbortSignal): Promise<CurrentRevision>;
  /** A revision with this owner is another one now. */
  changed(owner: string): void;
}

export interface RevisionsOptions {
  readonly api: Pick<Api, "get" | "list" | "create" | "patch" | "delete">;
  readonly store: Pick<Store<ControllerRevision>, "list">;
  readonly namespace: string;
  readonly now: () => number;
  /** Told of the SidecarSet as it was read: it may say more than the cache does, such as a pause. */
  readonly see?: (live: SidecarSet) => void;
}

interface Settled extends CurrentRevision {
  readonly uid: string | undefined;
  readonly generation: number | undefined;
  /** When to look again, because something above the limit is left; epoch milliseconds. */
  readonly until: number;
}

/** How often to look whether pods still use revisions above the limit, or the cache was behind, in milliseconds. */
const HELD = 60_000;
/** After an attempt that has failed, in milliseconds: each event of a pod would be one more. */
const PAUSE = 500;
/** A name that is taken by other data is rare; so many in a row are a fault. */
const MOST_COLLISIONS = 20;

interface Failed extends Pick<Settled, "uid" | "generation" | "until"> {
  readonly error: unknown;
}

export function createRevisions({ api, store, namespace, now, see }: RevisionsOptions): Revisions {
  const history = { api, namespace };
  const settled = new Map<string, Settled>();
  const failed = new Map<string, Failed>();
  const holds = <T extends Omit<Failed, "error">>(known: T | undefined, { metadata }: SidecarSet): known is T =>
    known !== undefined &&
    known.uid === metadata.uid &&
    known.generation === metadata.generation &&
    now() < known.until;

  const planned = (
    sidecarSet: SidecarSet,
    existing: readonly ControllerRevision[],
    used: () => ReadonlySet<string>,
  ) => {
    const base = { sidecarSet, existing, namespace };
    const sync = syncRevisions({ ...base, usedByPods: new Set() });
    if (sync.delete.length === 0) return { sync, held: false };
    const kept = syncRevisions({ ...base, usedByPods: used() });
    return { sync: kept, held: kept.delete.length < sync.delete.length };
  };

  /** Whoever was shown an old SidecarSet knows an old status, and would delete what is the last good revision by now. */
  const isCurrent = async ({ metadata, status }: SidecarSet, signal: AbortSignal): Promise<boolean> => {
    try {
      const live = await api.get<SidecarSet>(SIDECAR_SETS, metadata.name ?? "", { signal });
      see?.(live);
      return (
        live.metadata.uid === metadata.uid &&
        live.metadata.generation === metadata.generation &&
        live.status?.lastGoodRevision === status?.lastGoodRevision
      );
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return false;
      throw error;
    }
  };

  /** From the live history; a name that others have taken is one more object to plan around. */
  const write = async (sidecarSet: SidecarSet, used: () => ReadonlySet<string>, signal: AbortSignal) => {
    const { name = "" } = sidecarSet.metadata;
    const existing = await listRevisions(history, `${REVISION_OWNER_LABEL}=${name}`, signal);
    const named = (wanted: string) => existing.filter(({ metadata }) => metadata.name === wanted);
    let next = planned(sidecarSet, existing, used);
    for (let i = 0; next.sync.create !== undefined; i++) {
      const taken = await createRevision(history, next.sync.create, signal);
      if (taken === undefined) break;
      if (i >= MOST_COLLISIONS) throw new Error(noNameFree(name, namespace));
      existing.push(taken);
      next = planned(sidecarSet, existing, used);
    }
    const { renumber, relabel, latest } = next.sync;
    if (renumber !== undefined || relabel !== undefined) {
      for (const one of named(latest)) await editRevision(history, one, { ...renumber, ...relabel });
    }
    if (next.sync.delete.length === 0) return next;
    if (!(await isCurrent(sidecarSet, signal))) return { ...next, held: true };
    for (const one of next.sync.delete.flatMap(named)) {
      signal.throwIfAborted();
      await removeRevision(history, one);
    }
    return next;
  };

  const attempt = async (sidecarSet: SidecarSet, used: () => ReadonlySet<string>, signal: AbortSignal) => {
    const { name = "", uid, generation } = sidecarSet.metadata;
    try {
      const written = await write(sidecarSet, used, signal);
      failed.delete(name);
      return written;
    } catch (error) {
      failed.set(name, { uid, generation, until: now() + PAUSE, error });
      throw error;
    }
  };

  return {
    changed: (owner) => {
      settled.delete(owner);
      failed.delete(owner);
    },
    sync: async (sidecarSet, usedByPods, signal) => {
      const { name = "", uid, generation } = sidecarSet.metadata;
      const known = settled.get(name);
      if (holds(known, sidecarSet)) return known;
      const own = store.list().filter(({ metadata }) => metadata.labels?.[REVISION_OWNER_LABEL] === name);
      const cached = planned(sidecarSet, own, usedByPods);
      const last = failed.get(name);
      if (!isSettled(cached.sync) && holds(last, sidecarSet)) throw last.error;
      const { sync, held } = isSettled(cached.sync) ? cached : await attempt(sidecarSet, usedByPods, signal);
      const { latest, collisionCount } = sync;
      const after = { latest, collisionCount, uid, generation, until: held ? now() + HELD : Number.POSITIVE_INFINITY };
      settled.set(name, after);
      return after;
    },
  };
}

function isSettled(sync: RevisionSync): boolean {
  return !sync.create && !sync.renumber && !sync.relabel && sync.delete.length === 0;
}

function noNameFree(name: string, namespace: string): string {
  return `SidecarSet ${name} can't be recorded: ${MOST_COLLISIONS} names in a row belong to other ControllerRevisions. Delete those called ${name}-… in namespace ${namespace} that do not have the label ${REVISION_OWNER_LABEL}=${name}`;
}
