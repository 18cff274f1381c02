// SPDX-License-Identifier: Apache-2.0
import type { Bodies } from "./message.ts";
import type { BackOff } from "./back-off.ts";
import { blockedFor } from "./back-off.ts";
import type { Rank } from "./rank.ts";
import { compareRank } from "./rank.ts";
import { negotiate } from "./version.ts";

/** What the process that is asked knows about itself. */
export interface Host {
  readonly name: string;
  readonly rank: Rank;
  /** Told to stop: then it hands over to an older process as well, rather than leave nobody behind. */
  readonly leaving: boolean;
  /** It owns, is confirmed, and accepts. */
  readonly serving: boolean;
  /** Whom it hands over to right now, or waits for (R7). */
  readonly handingTo: string | null;
  /** An older process still holds itself ready for it (R6). */
  readonly hasStandby: boolean;
  readonly backOff: BackOff;
  readonly retryAfterMs: number;
  /** Milliseconds of any monotonic clock. */
  readonly now: number;
}

export type Admission =
  | { readonly kind: "refuse"; readonly code: Bodies["REFUSE"]["code"]; readonly reason: string }
  | { readonly kind: "busy"; readonly retryAfterMs: number; readonly by: string }
  | { readonly kind: "releaseFirst" }
  | { readonly kind: "welcome"; readonly proto: number };

/** The answer to a HELLO (R6, R7, R9). `authentic`: user and token are right. */
export function admit(host: Host, hello: Bodies["HELLO"], authentic: boolean): Admission {
  if (!authentic) return { kind: "refuse", code: "auth", reason: "wrong user or token" };
  if (hello.name !== host.name) return { kind: "refuse", code: "name", reason: `this is ${host.name}` };
  const proto = negotiate(hello);
  if (proto === null) {
    return {
      kind: "refuse",
      code: "version",
      reason: `no protocol in ${hello.protoMin} to ${hello.protoMax} is spoken`,
    };
  }
  const asking: Rank = { version: hello.version, startedAt: hello.startedAt };
  if (!host.leaving && compareRank(asking, host.rank) <= 0) {
    return { kind: "refuse", code: "standby", reason: `version ${host.rank.version} is newer and owns` };
  }
  if (host.handingTo !== null) return { kind: "busy", retryAfterMs: host.retryAfterMs, by: host.handingTo };
  if (!host.serving) return { kind: "busy", retryAfterMs: host.retryAfterMs, by: "its own start" };
  const wait = blockedFor(host.backOff, asking, host.now);
  if (wait > 0) return { kind: "busy", retryAfterMs: wait, by: "the back-off after a roll-back" };
  return host.hasStandby ? { kind: "releaseFirst" } : { kind: "welcome", proto };
}
