// SPDX-License-Identifier: Apache-2.0
import { createChanges, type Changes } from "./plan/changes.ts";
import type { PodProjection } from "./plan/pod-projection.ts";
import { concernedBy } from "./plan/select-pods.ts";

/** Which pods concern which SidecarSet, so that a reconcile does not walk over all pods of the cluster. */
export interface PodIndex {
  /** Takes over a pod's present state; returns the SidecarSets that it concerns or has concerned. */
  update(key: string, pod: PodProjection | undefined): readonly string[];
  /** As they are now, in the order of their keys. Not a copy: to be read before the next update. */
  podsOf(name: string): readonly PodProjection[];
  /** One of them, by its key. */
  podOf(name: string, key: string): PodProjection | undefined;
  /** Where that list was changed; undefined: it is empty. */
  changesOf(name: string): Changes | undefined;
}

const NONE: readonly PodProjection[] = [];

export function createPodIndex(): PodIndex {
  const names = new Map<string, readonly string[]>();
  const members = new Map<string, Members>();

  const membersOf = (name: string): Members => {
    const known = members.get(name) ?? createMembers();
    members.set(name, known);
    return known;
  };

  return {
    update: (key, pod) => {
      const before = names.get(key) ?? [];
      const now = pod === undefined ? [] : concernedBy(pod);
      for (const name of before) {
        if (!now.includes(name) && membersOf(name).remove(key) === 0) members.delete(name);
      }
      if (pod !== undefined) for (const name of now) membersOf(name).set(key, pod);
      if (now.length === 0) names.delete(key);
      else names.set(key, now);
      return [...new Set([...before, ...now])];
    },
    podsOf: (name) => members.get(name)?.list() ?? NONE,
    podOf: (name, key) => members.get(name)?.get(key),
    changesOf: (name) => members.get(name)?.changes,
  };
}

/** Pods by their keys. Most events replace one: then the others are not touched, not even for the list. */
interface Members {
  set(key: string, pod: PodProjection): void;
  /** Returns how many are left. */
  remove(key: string): number;
  get(key: string): PodProjection | undefined;
  list(): readonly PodProjection[];
  /** Of the list. */
  readonly changes: Changes;
}

function createMembers(): Members {
  let keys: readonly string[] = [];
  let pods: PodProjection[] = [];
  /** Since the list was last asked for; of those that are gone it has the keys still. */
  const come = new Map<string, PodProjection>();
  const gone = new Set<string>();
  const changes = createChanges();

  /** Of the first key that is not less. */
  const placeOf = (key: string): number => {
    let [low, high] = [0, keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((keys[middle] ?? "") < key) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const arrange = (): void => {
    const runs: { keys: readonly string[]; pods: readonly PodProjection[] }[] = [];
    let from = 0;
    const copyTo = (end: number): void => void runs.push({ keys: keys.slice(from, end), pods: pods.slice(from, end) });
    for (const key of [...come.keys(), ...gone].sort()) {
      const place = placeOf(key);
      copyTo(place);
      const pod = come.get(key);
      if (pod !== undefined) runs.push({ keys: [key], pods: [pod] });
      from = gone.has(key) ? place + 1 : place;
    }
    copyTo(keys.length);
    keys = runs.flatMap((run) => run.keys);
    pods = runs.flatMap((run) => run.pods);
    changes.moved();
    come.clear();
    gone.clear();
  };

  return {
    set: (key, pod) => {
      gone.delete(key);
      const place = placeOf(key);
      if (keys[place] === key) {
        pods[place] = pod;
        changes.replaced(place);
      } else come.set(key, pod);
    },
    remove: (key) => {
      if (!come.delete(key)) gone.add(key);
      return keys.length + come.size - gone.size;
    },
    get: (key) => {
      if (gone.has(key)) return undefined;
      const place = placeOf(key);
      return keys[place] === key ? pods[place] : come.get(key);
    },
    list: () => {
      if (come.size + gone.size > 0) arrange();
      return pods;
    },
    changes,
  };
}
