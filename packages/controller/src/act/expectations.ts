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
  /** By pod UID: outstanding writes among these pods, as the cache shows them. */
  pending(pods: readonly PodProjection[]): Map<string, WriteKind>;
  /** Those of them of which nobody knows whether they were carried out, nor will learn it without asking. */
  unresolved(pods: readonly PodProjection[]): Expectation[];
}

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

  const among = (pods: readonly PodProjection[]): Entry[] => {
    const found: Entry[] = [];
    // Of very many pods nearly none is being written: nothing is made for the others.
    if (byUid.size > 0) {
      for (const pod of pods) {
        const one = outstanding(pod);
        if (one !== undefined) found.push(one);
      }
    }
    return found;
  };

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
    pending: (pods) => new Map(among(pods).map(({ uid, kind }) => [uid, kind])),
    unresolved: (pods) => among(pods).filter(({ underWay, after }) => !underWay && after === undefined),
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
