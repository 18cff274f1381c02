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
  return {
    update: (key, pod) => {
      const before = names.get(key) ?? [];
      const now = pod === undefined ? [] : concerned(pod);
      for (const name of before) keys.get(name)?.delete(key);
      for (const name of now) keys.set(name, (keys.get(name) ?? new Set()).add(key));
      for (const name of before) if (keys.get(name)?.size === 0) keys.delete(name);
      if (now.length === 0) names.delete(key);
      else names.set(key, now);
      return [...new Set([...before, ...now])];
    },
    podsOf: (name) => [...(keys.get(name) ?? [])].sort().flatMap((key) => store.get(key) ?? []),
  };
}

/** The SidecarSets that injected a pod, and those whose upgrade its records describe. */
function concerned(pod: PodProjection): string[] {
  const recorded = Object.keys(pod.annotations)
    .filter((key) => key.startsWith(RECORD_ANNOTATION_PREFIX))
    .flatMap((key) => parseRecord(pod.annotations, key.slice(RECORD_ANNOTATION_PREFIX.length))?.sidecarSet ?? []);
  return [...new Set([...injectedBy(pod), ...recorded])];
}
