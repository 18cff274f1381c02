// SPDX-License-Identifier: Apache-2.0
import { compareResourceVersions } from "@hot/kube";
import type { PodProjection } from "../plan/pod-projection.ts";
import type { WriteKind } from "../plan/snapshot.ts";

interface Expectation {
  readonly kind: WriteKind;
  readonly namespace: string;
  readonly name: string;
  /** Version that was planned on. */
  readonly read: string;
  /** Version that has to be seen; absent while nobody knows whether the write was carried out. */
  readonly written?: string;
  /** The answer is outstanding: whoever sent the write will learn more. */
  readonly underWay: boolean;
  readonly expiresAt: number;
}

/** What a write was planned on. */
type Planned = Pick<PodProjection, "uid" | "resourceVersion">;

/** Own writes that the cache may not show yet, keyed by pod UID. */
export interface Expectations {
  /** Before the write is sent, so that nothing that is seen meanwhile can be missed. */
  expect(pod: PodProjection, kind: WriteKind): void;
  /**
   * The API server holds this version: wait until the cache shows it. This and the next two are about the write that was
   * planned on this state of the pod: its answer may come when the next write, of another SidecarSet, is under way.
   */
  written(pod: Planned, resourceVersion: string): void;
  /** No answer came, or none that tells. */
  unclear(pod: Planned): void;
  /** Nothing was written. */
  drop(pod: Planned): void;
  /** The pod is gone. */
  forget(uid: string): void;
  /** Outstanding writes among these pods, as the cache shows them; those that are seen or too old are forgotten. */
  pending(pods: readonly PodProjection[]): Map<string, WriteKind>;
  /** Pods of whose write nobody knows whether it was carried out. */
  unresolved(pods: readonly PodProjection[]): PodProjection[];
}

/** Longer than any cache is behind; the precondition of every write keeps an expired one harmless. */
const EXPIRY = 5 * 60_000;

export function createExpectations(now: () => number): Expectations {
  const byUid = new Map<string, Expectation>();

  const outstanding = (pod: PodProjection): Expectation | undefined => {
    const one = byUid.get(pod.uid);
    if (one === undefined) return undefined;
    const seen = one.written === undefined ? pod.resourceVersion !== one.read : reached(pod.resourceVersion, one);
    if (!seen && now() < one.expiresAt) return one;
    byUid.delete(pod.uid);
    return undefined;
  };

  const of = ({ uid, resourceVersion }: Planned): Expectation | undefined => {
    const one = byUid.get(uid);
    return one?.read === resourceVersion ? one : undefined;
  };

  return {
    expect: ({ uid, namespace, name, resourceVersion }, kind) => {
      byUid.set(uid, { kind, namespace, name, read: resourceVersion, underWay: true, expiresAt: now() + EXPIRY });
    },
    written: (pod, resourceVersion) => {
      const one = of(pod);
      if (one !== undefined) byUid.set(pod.uid, { ...one, written: resourceVersion, underWay: false });
    },
    unclear: (pod) => {
      const one = of(pod);
      if (one !== undefined) byUid.set(pod.uid, { ...one, underWay: false });
    },
    drop: (pod) => {
      if (of(pod) !== undefined) byUid.delete(pod.uid);
    },
    forget: (uid) => void byUid.delete(uid),
    pending: (pods) => {
      const found = new Map<string, WriteKind>();
      for (const pod of byUid.size === 0 ? [] : pods) {
        const one = outstanding(pod);
        if (one !== undefined) found.set(pod.uid, one.kind);
      }
      return found;
    },
    unresolved: (pods) =>
      (byUid.size === 0 ? [] : pods).filter((pod) => {
        const one = outstanding(pod);
        return one !== undefined && !one.underWay && one.written === undefined;
      }),
  };
}

/** Versions are numbers on every API server in use; elsewhere any other version than the one planned on counts. */
function reached(seen: string, { read, written = "" }: Expectation): boolean {
  const order = compareResourceVersions(seen, written);
  return order === undefined ? seen !== read : order >= 0;
}
