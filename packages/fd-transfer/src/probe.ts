// SPDX-License-Identifier: Apache-2.0
import type { ProbeAnswer } from "./probe-socket.ts";
import type { GiverState } from "./protocol/giver-state.ts";
import type { TakerState } from "./protocol/taker-state.ts";

/** What the answer depends on. */
export interface Probed {
  readonly role: string;
  readonly tenure: { readonly epoch: bigint; readonly passedOn: boolean };
  readonly holdings: { silent(): string | null };
  readonly terminating: boolean;
  readonly oldSide: { readonly link: { readonly state: Pick<GiverState, "phase"> } | null };
  readonly newSide: { readonly link: { readonly state: Pick<TakerState, "phase"> } | null };
  isServing(): boolean;
}

/**
 * The receipt: yes while this process owns for good and accepts, or while a newer one does so because of it or in front
 * of it. No for everything else, whatever the environment says: who has not taken over yet, starts, finds its port
 * taken, waits for somebody it cannot ask, was taken back from, or leaves nobody behind.
 *
 * A process that took over in one upgrade is the old side of the next one with the same environment, so the answer
 * comes from the links alone.
 */
export function probeAnswer(process: Probed): ProbeAnswer {
  if (process.isServing()) {
    const silent = process.holdings.silent();
    if (silent !== null) return { ok: false, sentence: `owns, but the server of listener ${silent} was closed` };
    return yes(`owns with epoch ${process.tenure.epoch} and accepts`);
  }
  const handing = process.oldSide.link?.state.phase;
  if (handing === "guarding") return yes("guards the process that takes over");
  if (handing === "standby") return yes("stands by, a newer process has taken over");
  // Only a living owner of higher rank answers so (R9), and the connection to it is open.
  if (process.newSide.link?.state.phase === "standingBy") return yes("stands by behind a newer owner");
  if (process.terminating && process.tenure.passedOn) return yes("drains, a newer process has taken over");
  return { ok: false, sentence: `does not accept and nobody newer does (${process.role})` };
}

function yes(sentence: string): ProbeAnswer {
  return { ok: true, sentence };
}
