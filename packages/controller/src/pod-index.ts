// SPDX-License-Identifier: Apache-2.0
import type { Store } from "@hot/kube";
import { RECORD_ANNOTATION_PREFIX } from "@hot/spec";
import type { PodProjection } from "./plan/pod-projection.ts";
import { parseRecord } from "./plan/record.ts";
import { injectedBy } from "./plan/select-pods.ts";

/** Which pods concern which SidecarSet, so that a reconcile does not walk over all pods of the cluster. */
export interface PodIndex {
  /** Takes over a pod's present state; returns the SidecarSets that it concerns or has concerned. */
  update(key: string, pod: PodProjection | undefined): readonly string[];
  podsOf(name: string): PodProjection[];
}

export function createPodIndex(store: Pick<Store<PodProjection>, "get">): PodIndex {
  const names = new Map<string, readonly string[]>();
  const keys = new Map<string, Set<string>>();
  /** Names whose keys are not in order: pods have come since they were last asked for. */
  const unsorted = new Set<string>();

  const add = (name: string, key: string): void => {
    keys.set(name, (keys.get(name) ?? new Set()).add(key));
    unsorted.add(name);
  };

  const remove = (name: string, key: string): void => {
    const of = keys.get(name);
    of?.delete(key);
    if (of?.size === 0) {
      keys.delete(name);
      unsorted.delete(name);
    }
  };

  return {
    update: (key, pod) => {
      const before = names.get(key) ?? [];
      const now = pod === undefined ? [] : concerned(pod);
      // Most events change neither: then the order stays as it is.
      for (const name of before) if (!now.includes(name)) remove(name, key);
      for (const name of now) if (!before.includes(name)) add(name, key);
      if (now.length === 0) names.delete(key);
      else names.set(key, now);
      return [...new Set([...before, ...now])];
    },
    podsOf: (name) => {
      if (unsorted.delete(name)) keys.set(name, new Set([...(keys.get(name) ?? [])].sort()));
      const pods: PodProjection[] = [];
      for (const key of keys.get(name) ?? []) {
        const pod = store.get(key);
        if (pod !== undefined) pods.push(pod);
      }
      return pods;
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
