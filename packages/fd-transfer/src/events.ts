// SPDX-License-Identifier: Apache-2.0
import type { EventEmitter } from "node:events";
import type { DrainReport } from "./drain.ts";

/**
 * `fresh`: nobody was there. `successor`: took the listeners over from another process, or is doing so.
 * `standby`: another process owns; this one takes back or starts when it is needed.
 */
export type HandoffRole = "fresh" | "successor" | "standby";

/** Events of a hand-off, with their arguments. */
export interface HandoffEvents {
  role: [HandoffRole];
  /** This process owns for good and accepts. */
  owner: [epoch: bigint];
  /** Old side: a newer process takes over from this one. */
  handoff: [{ readonly version: bigint }];
  /** New side: it owns and accepts; the old side may still take back. */
  committed: [epoch: bigint];
  /** Old side: the hand-over failed, this process goes on. */
  rollback: [{ readonly how: "aborted" | "rolled"; readonly reason: string }];
  /** What failed is tried again after `afterMs`: an attempt to take over, to start, to publish owner.sock, or to repair a socket. */
  retry: [{ readonly reason: string; readonly afterMs: number }];
  /** Responses carry `Connection: close` from now on. */
  draining: [];
  drained: [DrainReport];
  /** Somebody called shutdown() on this listener, or removed its path; it listens again. */
  listenerDead: [key: string];
  /**
   * A connection moved to this process and `adopt` of its kind failed: it was closed. Or `pack` failed: then it stays where
   * it is, and is drained.
   */
  connectionLost: [{ readonly key: string; readonly reason: string }];
  /** Anything about links or ownership has changed. */
  change: [];
}

/**
 * Tells the application, in order, after what is being done now: a listener that throws or closes the hand-off must not
 * find it half way, or leave it there.
 */
export function tell<E extends keyof HandoffEvents>(
  events: EventEmitter<HandoffEvents>,
  event: E,
  ...args: HandoffEvents[E]
): void {
  queueMicrotask(() => (events as EventEmitter).emit(event, ...args));
}
