// SPDX-License-Identifier: Apache-2.0
import { HandoffError } from "./errors.ts";

/** The time during which this process owns: its epoch, and the signal that tells when it is over. */
export class Tenure {
  #stage: "no" | "guarding" | "confirmed" = "no";
  #epoch = 0n;
  #over = new AbortController();
  #passedOn = false;

  /** The fencing token of this tenure, or of the last one. */
  get epoch(): bigint {
    return this.#epoch;
  }

  /** Aborted at the end of this tenure; before the first one it belongs to that. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  get current(): boolean {
    return this.#stage !== "no";
  }

  /** For good, not on trial. */
  get confirmed(): boolean {
    return this.#stage === "confirmed";
  }

  /** The last tenure ended because another process owns for good by a hand-over of this one. */
  get passedOn(): boolean {
    return this.#passedOn;
  }

  begin(epoch: bigint, confirmed: boolean): void {
    if (this.#over.signal.aborted) this.#over = new AbortController();
    this.#epoch = epoch;
    this.#passedOn = false;
    this.#stage = confirmed ? "confirmed" : "guarding";
  }

  passOn(): void {
    this.end();
    this.#passedOn = true;
  }

  end(): void {
    if (this.#stage === "no") return;
    this.#stage = "no";
    this.#over.abort(new HandoffError("HOT4013", "ownership passed to another process", { phase: "own" }));
  }
}
