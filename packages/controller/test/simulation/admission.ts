// SPDX-License-Identifier: Apache-2.0
import { createRandom, type Random } from "./random.ts";

/** Writes of pods that a policy may refuse. */
const REFUSED_KINDS = ["every", "start", "empty", "annotation", "condition"] as const;

/** A policy of somebody else; times are shares of the time in which users and faults come. */
export interface PolicyWish {
  readonly kind: (typeof REFUSED_KINDS)[number];
  /** Names of the pods that it is about. */
  readonly pods: ReadonlySet<string>;
  readonly status: 403 | 422;
  readonly from: number;
  /** Absent: until all else has come to rest. */
  readonly until?: number;
}

/** A webhook of somebody else that puts a registry mirror before images of pods. */
export interface MirrorWish {
  /** When it sees a pod. */
  readonly at: "create" | "update" | "both";
  /** Empty images are in the registry as well. */
  readonly empties: boolean;
  /** From which moment on, as a share of the time in which users and faults come; 0: before the first pod. */
  readonly from: number;
}

/** What others have put before the API server. */
interface Admission {
  readonly policy?: PolicyWish;
  readonly mirror?: MirrorWish;
}

/** Its chance is its own: all other chance of a seed is as it would be without it. */
const APART = 0x0ad0_15e5;

/** In most runs nothing. */
export function admissionOf(seed: number): Admission {
  const random = createRandom(seed + APART);
  const [hasPolicy, hasMirror] = [random.chance(0.1), random.chance(0.1)];
  return { ...(hasPolicy && { policy: policyOf(random) }), ...(hasMirror && { mirror: mirrorOf(random) }) };
}

function policyOf(random: Random): PolicyWish {
  const from = random.pick([0, random.next()]);
  const share = random.pick([0.3, 0.5, 1]);
  const names = Array.from({ length: 6 }, (_, i) => `web-${i}`);
  return {
    kind: random.pick(REFUSED_KINDS),
    pods: new Set(names.filter(() => random.chance(share))),
    status: random.pick([403, 422]),
    from,
    ...(random.chance(0.5) && { until: from + (1 - from) * random.next() }),
  };
}

function mirrorOf(random: Random): MirrorWish {
  return {
    at: random.pick(["create", "update", "both"]),
    empties: random.chance(0.5),
    from: random.pick([0, 0, random.next()]),
  };
}
