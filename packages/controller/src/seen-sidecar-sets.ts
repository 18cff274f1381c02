// SPDX-License-Identifier: Apache-2.0
import { compareResourceVersions, type Store } from "@hot/kube";
import type { SidecarSet } from "@hot/spec";

/**
 * SidecarSets as the API server has last shown them to us in any way. A cache that lists anew from a server that is
 * behind goes back in time; what was seen, such as a pause, stays seen.
 */
export interface SeenSidecarSets {
  /** Undefined while the cache has none of this name. */
  get(name: string): SidecarSet | undefined;
  see(sidecarSet: SidecarSet): void;
  /**
   * Reads it from the API server. A read is never behind what was seen before it began, unless the server's data are those
   * of a backup: then all that was seen after it has not happened.
   */
  read(name: string, get: () => Promise<SidecarSet | undefined>): Promise<SidecarSet | undefined>;
}

/** Far more than are deleted while a cache is behind. */
const MOST_GONE = 1_000;

export function createSeenSidecarSets(cache: Pick<Store<SidecarSet>, "get">): SeenSidecarSets {
  /**
   * Kept beyond a deletion: it may be told once more, of an earlier one with the name, before the cache is up to date.
   * What was seen last comes last.
   */
  const newest = new Map<string, SidecarSet>();

  const forgetGone = (): void => {
    const gone = [...newest.keys()].filter((name) => cache.get(name) === undefined);
    for (const name of gone.slice(0, Math.max(0, gone.length - MOST_GONE))) newest.delete(name);
  };

  const see = (sidecarSet: SidecarSet): SidecarSet => {
    const { name = "" } = sidecarSet.metadata;
    const known = newest.get(name);
    if (known !== undefined && isBehind(sidecarSet, known)) return known;
    newest.delete(name);
    newest.set(name, sidecarSet);
    if (known === undefined && newest.size > MOST_GONE) forgetGone();
    return sidecarSet;
  };

  return {
    get: (name) => {
      const cached = cache.get(name);
      return cached && see(cached);
    },
    see: (sidecarSet) => void see(sidecarSet),
    read: async (name, get) => {
      const before = newest.get(name);
      const live = await get();
      if (live !== undefined && newest.get(name) === before) newest.delete(name);
      return live && see(live);
    },
  };
}

function isBehind(one: SidecarSet, other: SidecarSet): boolean {
  return (compareResourceVersions(one.metadata.resourceVersion, other.metadata.resourceVersion) ?? 0) < 0;
}
