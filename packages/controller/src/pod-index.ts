// SPDX-License-Identifier: Apache-2.0
import { RECORD_ANNOTATION_PREFIX } from "@hot/spec";
import type { PodProjection } from "./plan/pod-projection.ts";
import { parseRecord } from "./plan/record.ts";
import { injectedBy } from "./plan/select-pods.ts";

/** Which pods concern which SidecarSet, so that a reconcile does not walk over all pods of the cluster. */
export interface PodIndex {
  /** Takes over a pod's present state; returns the SidecarSets that it concerns or has concerned. */
  update(key: string, pod: PodProjection | undefined): readonly string[];
  /** As they were last taken over, in the order of their keys. */
  podsOf(name: string): PodProjection[];
}

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
      const now = pod === undefined ? [] : concerned(pod);
      for (const name of before) {
        if (!now.includes(name) && membersOf(name).remove(key) === 0) members.delete(name);
      }
      if (pod !== undefined) for (const name of now) membersOf(name).set(key, pod);
      if (now.length === 0) names.delete(key);
      else names.set(key, now);
      return [...new Set([...before, ...now])];
    },
    podsOf: (name) => members.get(name)?.list() ?? [],
  };
}

/** Pods by their keys. Most events replace one: then the others are not touched, not even for the list. */
interface Members {
  set(key: string, pod: PodProjection): void;
  /** Returns how many are left. */
  remove(key: string): number;
  list(): PodProjection[];
}

function createMembers(): Members {
  const places = new Map<string, number>();
  let pods: PodProjection[] = [];
  /** Pods have come or gone since the list was last asked for. */
  let changed = false;

  const arrange = (): void => {
    const sorted = [...places].sort(([a], [b]) => (a < b ? -1 : 1));
    pods = sorted.flatMap(([, place]) => pods[place] ?? []);
    for (const [place, [key]] of sorted.entries()) places.set(key, place);
    changed = false;
  };

  return {
    set: (key, pod) => {
      const place = places.get(key) ?? pods.length;
      if (place === pods.length) {
        places.set(key, place);
        changed = true;
      }
      pods[place] = pod;
    },
    remove: (key) => {
      places.delete(key);
      changed = true;
      return places.size;
    },
    list: () => {
      if (changed) arrange();
      return pods.slice();
    },
  };
}

/** The SidecarSets that injected a pod, and those whose upgrade its records describe. */
function concerned(pod: PodProjection): string[] {
  const recorded = Object.keys(pod.annotations)
    .filter((key) => key.startsWith(RECORD_ANNOTATION_PREFIX))
    .flatMap((key) => parseRecord(pod.annotations, key.slice(RECORD_ANNOTATION_PREFIX.length))?.sidecarSet ?? []);
  return [...new Set([...injectedBy(pod), ...recorded])];
}
