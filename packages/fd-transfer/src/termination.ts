// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";
import type { DrainReport } from "./drain.ts";
import type { Participant } from "./participant.ts";

export interface TerminateOptions {
  /** Time from the signal to SIGKILL, in ms (terminationGracePeriodSeconds); default 25,000. */
  readonly graceMs?: number;
  /** Part of the grace that an owner keeps for draining, in ms; default 5,000, at most half. Others have all of it. */
  readonly drainMs?: number;
  /** A lone owner stops accepting before the grace ends when it has had no connection for this long; default 2,000. */
  readonly quietMs?: number;
}

const LOOK_MS = 50;

/**
 * What TERM means (R10). An owner with a standby gives back first and accepts until then; a hand-over under way is
 * finished; an owner without anybody hands over even to an older process, and accepts until one comes or until shortly
 * before the grace ends, because connections still come in.
 */
export async function terminate(participant: Participant, options: TerminateOptions = {}): Promise<DrainReport> {
  const graceMs = options.graceMs ?? 25_000;
  const drainMs = Math.min(options.drainMs ?? 5_000, graceMs / 2);
  const quietMs = options.quietMs ?? 2_000;
  const { newSide, oldSide, migration, holdings } = participant;
  const { drain } = migration;
  const end = performance.now() + graceMs;
  participant.terminating = true;
  newSide.stopSeeking();
  newSide.dispatch({ type: "terminate" });
  oldSide.dispatch({ type: "terminate" });
  oldSide.invite();
  while (performance.now() < end - drainMs && !participant.closed) {
    const linked = newSide.link !== null || (oldSide.link !== null && oldSide.link.state.phase !== "lingering");
    if (!linked && !participant.isOwner()) break;
    if (!linked) {
      drain.begin();
      if (drain.quietForMs() >= quietMs) break;
    }
    await sleep(LOOK_MS);
  }
  newSide.dispatch({ type: "graceEnds" });
  oldSide.dispatch({ type: "graceEnds" });
  holdings.stopAccepting();
  // The connection of the hand-off ends before the drain does: the other side must know at once.
  participant.leave();
  const report = await drain.finish({ deadlineMs: Math.max(0, end - performance.now()) });
  participant.events.emit("drained", report);
  participant.close();
  return report;
}
