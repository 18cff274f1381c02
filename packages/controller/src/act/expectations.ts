// SPDX-License-Identifier: Apache-2.0
import { compareResourceVersions } from "@hot/kube";
import type { PodProjection } from "../plan/pod-projection.ts";
import type { WriteKind } from "../plan/snapshot.ts";

/**
 * One own write, from before it is sent until the cache shows what became of it. What is learned of it late says nothing
 * about the pod's next write.
 */
export interface Expectation {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Version that was planned on. */
  readonly read: string;
  /** The API server holds this version: wait until the cache shows it. */
  written(resourceVersion: string): void;
  /** No answer came, or none that tells. */
  unclear(): void;
  /** Nothing was written. */
  drop(): void;
}

/** Own writes that the cache may not show yet: at most one per pod. */
export interface Expectations {
  /**
   * Before the write is sent, so that nothing that is seen meanwhile can be missed. Undefined: another write of the pod
   * is under way, of another SidecarSet perhaps, and this one must not be sent.
   */
  expect(pod: PodProjection, kind: WriteKind): Expectation | undefined;
  /** The pod is gone. */
  forget(uid: string): void;
  /** By pod UID: outstanding writes of the pods that can be found, as the cache shows them. */
  pending(find: FindPod): Map<string, WriteKind>;
  /** Those of them of which nobody knows whether they were carried out, nor will learn it without asking. */
  unresolved(find: FindPod): Expectation[];
}

/** A pod as the cache shows it, by its key; undefined: it is none of those that are asked about. */
export type FindPod = (key: string) => PodProjection | undefined;

interface Entry extends Expectation {
  readonly kind: WriteKind;
  readonly expiresAt: number;
  /** The answer is outstanding: whoever sent the write will learn more. */
  underWay: boolean;
  /** Version that has to be seen; absent while nobody knows whether the write was carried out. */
  after?: string;
}

/** Longer than any cache is behind; the precondition of every write keeps an expired one harmless. */
const EXPIRY = 5 * 60_000;

export function createExpectations(now: () => number): Expectations {
  const byUid = new Map<string, Entry>();

  /** One that is seen or too old is forgotten. */
  const outstanding = (pod: PodProjection): Entry | undefined => {
    const one = byUid.get(pod.uid);
    if (one === undefined) return undefined;
    if (!isSeen(one, pod.resourceVersion) && now() < one.expiresAt) return one;
    byUid.delete(pod.uid);
    return undefined;
  };

  // Of very many pods nearly none is being written: the others are not looked at.
  const among = (find: FindPod): Entry[] =>
    [...byUid.values()].filter(({ uid, namespace, name }) => {
      const pod = find(`${namespace}/${name}`);
      return pod?.uid === uid && outstanding(pod) !== undefined;
    });

  return {
    expect: (pod, kind) => {
      if (outstanding(pod) !== undefined) return undefined;
      const { uid, namespace, name, resourceVersion: read } = pod;
      const one: Entry = {
        uid,
        namespace,
        name,
        read,
        kind,
        underWay: true,
        expiresAt: now() + EXPIRY,
        written: (resourceVersion) => {
          one.after = resourceVersion;
          one.underWay = false;
        },
        unclear: () => {
          one.underWay = false;
        },
        drop: () => {
          if (byUid.get(uid) === one) byUid.delete(uid);
        },
      };
      byUid.set(uid, one);
      return one;
    },
    forget: (uid) => void byUid.delete(uid),
    pending: (find) => new Map(among(find).map(({ uid, kind }) => [uid, kind])),
    unresolved: (find) => among(find).filter(({ underWay, after }) => !underWay && after === undefined),
  };
}

/**
 * Whether the cache shows what became of a write: any state after the one that it was planned on, as no other can become
 * it then. Versions are numbers on every API server in use; elsewhere any other version counts.
 */
function isSeen({ read, after }: Entry, version: string): boolean {
  const order = compareResourceVersions(version, after ?? read);
  if (order === undefined) return version !== read;
  return after === undefined ? order > 0 : order >= 0;
}
