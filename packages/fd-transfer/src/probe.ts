// SPDX-License-Identifier: Apache-2.0
import type { ProbeAnswer } from "./probe-socket.ts";

/** What the answer depends on. */
export interface Probed {
  readonly role: string;
  readonly tenure: { readonly epoch: bigint };
  readonly terminating: boolean;
  isServing(): boolean;
}

/**
 * The receipt. The newer side of a hot upgrade says yes only while it owns for good and accepts; every other process
 * (alone, old, draining, standing by) says yes as long as it can answer at all.
 */
export function probeAnswer(process: Probed, newer: boolean): ProbeAnswer {
  if (process.isServing()) return { ok: true, sentence: `owns with epoch ${process.tenure.epoch} and accepts` };
  if (newer) return { ok: false, sentence: `has not taken over yet (${process.role})` };
  return { ok: true, sentence: process.terminating ? "drains" : `is ${process.role}` };
}
