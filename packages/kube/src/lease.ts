// SPDX-License-Identifier: Apache-2.0
import type { KubeObject } from "./api.ts";

/** `coordination.k8s.io/v1` Lease. Anybody with access may have written it, so nothing in it is taken for granted. */
export interface Lease extends KubeObject {
  spec?: unknown;
}

/** Times are of the local monotonic clock, in milliseconds. */
export interface SeenLease {
  /** Whose lease it was; empty: nobody's. */
  readonly holder: string;
  /** For how long the holder may rely on it after each renewal. */
  readonly durationMs: number;
  /** When this content was first seen here. The holder's own times are never compared with ours. */
  readonly at: number;
  /** The content, for comparison. */
  readonly text: string;
}

export interface LeaseTerms {
  readonly identity: string;
  readonly leaseDurationMs: number;
}

/** A holder that promises longer than this is not waited for: nobody's renewals are that rare. */
const LONGEST_MS = 3_600_000;
const MOST_TRANSITIONS = 2 ** 31 - 2;

/**
 * What is known of a lease after having read it. A content that was seen before keeps its time; a lease that is gone
 * keeps the holder that was last seen, who does not know yet.
 */
export function see(
  before: SeenLease | undefined,
  lease: Lease | undefined,
  now: number,
  leaseDurationMs: number,
): SeenLease | undefined {
  if (lease === undefined) return before;
  const { holderIdentity, leaseDurationSeconds } = specOf(lease);
  const text = JSON.stringify([lease.metadata.uid, lease.spec]);
  if (before?.text === text) return before;
  const seconds = typeof leaseDurationSeconds === "number" ? leaseDurationSeconds : 0;
  return {
    holder: typeof holderIdentity === "string" ? holderIdentity : "",
    // Never shorter than our own: a record with a nonsensical duration makes nobody lose a lease that is in use.
    durationMs: Math.max(leaseDurationMs, Math.min(seconds * 1000, LONGEST_MS)),
    at: now,
    text,
  };
}

/** How long to leave the lease alone, in milliseconds; 0: it is free, run out, or ours already. */
export function waitFor(seen: SeenLease | undefined, { identity }: Pick<LeaseTerms, "identity">, now: number): number {
  if (seen === undefined || seen.holder === "" || seen.holder === identity) return 0;
  return Math.max(0, seen.at + seen.durationMs - now);
}

/** The lease with us as its holder, to be written on top of the version that was read. Fields of others stay. */
export function held(lease: Lease | undefined, { identity, leaseDurationMs }: LeaseTerms, wallClock: number): object {
  const { holderIdentity, acquireTime, leaseTransitions, ...others } = specOf(lease);
  const isOurs = holderIdentity === identity;
  const known = Number.isInteger(leaseTransitions)
    ? Math.max(0, Math.min(Number(leaseTransitions), MOST_TRANSITIONS))
    : 0;
  return {
    ...others,
    holderIdentity: identity,
    leaseDurationSeconds: Math.max(1, Math.ceil(leaseDurationMs / 1000)),
    acquireTime: isOurs && typeof acquireTime === "string" ? acquireTime : microTime(wallClock),
    renewTime: microTime(wallClock),
    leaseTransitions: lease === undefined || isOurs ? known : known + 1,
  };
}

/** The lease as its holder leaves it behind: free at once, also for candidates that go by the duration alone. */
export function released(lease: Lease, wallClock: number): object {
  const now = microTime(wallClock);
  return { ...specOf(lease), holderIdentity: "", leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
}

export function isHeldBy(lease: Lease | undefined, identity: string): boolean {
  return specOf(lease)["holderIdentity"] === identity;
}

function specOf(lease: Lease | undefined): Record<string, unknown> {
  const spec = lease?.spec;
  return typeof spec === "object" && spec !== null && !Array.isArray(spec) ? (spec as Record<string, unknown>) : {};
}

/** `metav1.MicroTime`. */
function microTime(wallClock: number): string {
  return new Date(wallClock).toISOString().replace("Z", "000Z");
}
