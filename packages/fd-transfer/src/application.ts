// SPDX-License-Identifier: Apache-2.0
import type { Deferred } from "./deferred.ts";
import { deferred } from "./deferred.ts";
import { HandoffError } from "./errors.ts";
import type { Holdings } from "./holdings.ts";
import type { NewSide } from "./new-side.ts";
import { Readiness } from "./readiness.ts";
import type { Slot } from "./slot.ts";
import type { Tenure } from "./tenure.ts";

export interface ApplicationHost {
  /** Nobody was there when it started. */
  isFresh(): boolean;
  isServing(): boolean;
  /** This process owns by itself, the application can serve: accept. */
  serve(): void;
  /** R11: the address stays taken although L is ours. */
  startOver(error: HandoffError): void;
  /** The application gave this socket up on purpose. */
  closeSocket(slot: Slot): void;
}

/** What the code of a failure means for an attempt to take over: the old side is told, and goes on. */
const CALLS_OFF: ReadonlySet<string> = new Set(["HOT4006", "HOT4010", "HOT4011", "HOT4015"]);

/**
 * What the application asks for and says: its sockets, which wait until this process holds some, and that it is ready.
 * Both meet here, in whichever order they come, and each time that this process holds something anew.
 */
export class Application {
  readonly readiness = new Readiness();
  readonly #holdings: Holdings;
  readonly #tenure: Tenure;
  readonly #newSide: NewSide;
  readonly #host: ApplicationHost;
  /** Counts each change of what is held, so that work of an earlier one stops. */
  #term = 0;
  #holding: Deferred<void> = deferred();
  #closed = false;

  constructor(holdings: Holdings, tenure: Tenure, newSide: NewSide, host: ApplicationHost) {
    this.#holdings = holdings;
    this.#tenure = tenure;
    this.#newSide = newSide;
    this.#host = host;
  }

  /** @throws HandoffError HOT4014 when there is a socket of this key, HOT4013 */
  mustBeFree(key: string): void {
    this.#mustBeOpen("listen");
    this.#holdings.mustBeFree(key);
  }

  /** The same slot, with its socket: inherited or bound here. Pending while another process owns. */
  async bound<S extends Slot>(slot: S): Promise<S> {
    this.mustBeFree(slot.key);
    this.#holdings.addSlot(slot);
    slot.onClose = () => this.#host.closeSocket(slot);
    try {
      while (!slot.bound) {
        const holding = this.#holding;
        await holding.promise;
        if (holding !== this.#holding) continue; // lost again in the same tick
        const term = this.#term;
        await this.#holdings.provide(slot, () => term === this.#term);
        if (!this.#holdings.has(slot)) throw new HandoffError("HOT4013", `${slot.key} was closed`, { phase: "listen" });
      }
    } catch (error) {
      const again = isTaken(error) && this.#host.isFresh() && this.#isIdle && !this.#closed;
      if (again) this.#host.startOver(error);
      if (this.#holdings.has(slot)) this.#holdings.removeSlot(slot.key);
      if (again) return this.bound(slot);
      throw error;
    }
    return slot;
  }

  async ready(probe: () => Promise<void>): Promise<void> {
    this.#mustBeOpen("own");
    const again = this.readiness.probeFailed;
    const done = this.readiness.declare(probe);
    if (again && !this.#tenure.current) this.#newSide.seek();
    else this.proceed();
    return done;
  }

  /** It is not ready after all: what goes on because of its word is called off. */
  takeReadyBack(reason: unknown): void {
    if (!this.readiness.declared || this.#host.isServing()) return;
    this.readiness.reject(reason);
    this.#newSide.dispatch({ type: "probed", failure: "the application took its ready() back" });
  }

  /** What the probe says counts for the attempt that asked for it. */
  probe(): void {
    const { link } = this.#newSide;
    void this.readiness.probe().then((failure) => {
      if (this.#newSide.link === link) this.#newSide.dispatch({ type: "probed", failure });
    });
  }

  /** Sockets may be claimed from now on. */
  held(): void {
    this.#term++;
    this.#holding.resolve();
    this.proceed();
  }

  /** Nothing is held any more, or is being passed on as it is: who asks for a socket waits again. */
  lost(): void {
    this.#term++;
    // Who waits already goes on waiting for the next time that something is held.
    if (this.#holding.settled !== "no") this.#holding = deferred();
  }

  fail(error: HandoffError): void {
    this.#holding.reject(error);
    this.readiness.reject(error);
  }

  /** Those who asked for a socket and heard of a failure may ask again. */
  hopeAgain(): void {
    this.#holding = deferred();
  }

  close(error: HandoffError): void {
    this.#closed = true;
    this.lost();
    this.fail(error);
  }

  /** Goes on to own or to COMMIT, as soon as the application is ready and the sockets are here. */
  proceed(): void {
    // Who accepts has claimed everything; what is added later is served at once.
    if (!this.readiness.declared || this.#holdings.lineage === null || this.#holdings.accepting) return;
    const term = this.#term;
    const isCurrent = (): boolean => term === this.#term;
    this.#claim(isCurrent).catch((error: unknown) => {
      if (!isCurrent()) return;
      if (isTaken(error) && this.#isIdle) this.#host.startOver(error);
      else if (error instanceof HandoffError && CALLS_OFF.has(error.code)) this.#refuse(error);
      else this.readiness.reject(error);
    });
  }

  async #claim(isCurrent: () => boolean): Promise<void> {
    const holdings = this.#holdings;
    await holdings.bindAll(isCurrent);
    if (!isCurrent()) return;
    await holdings.states.import();
    if (!isCurrent()) return;
    holdings.mustBeAttached();
    if (this.#newSide.link?.state.phase === "held") {
      holdings.mustFit();
      const adopted = holdings.adopted();
      this.#newSide.dispatch({ type: "claimed", adopted, closed: holdings.closeUnclaimed() });
    } else if (this.#newSide.link === null && this.#tenure.confirmed && !holdings.accepting) {
      const failure = await this.readiness.probe();
      if (!isCurrent() || holdings.accepting || !this.readiness.declared) return;
      if (failure === null) this.#host.serve();
      else this.readiness.rejectByProbe(false);
    }
  }

  /** The old side is told, and goes on; ready() is rejected when that is done. */
  #refuse(error: HandoffError): void {
    if (this.#newSide.link === null) return this.readiness.reject(error);
    this.readiness.refuse(error);
    this.#newSide.dispatch({ type: "probed", failure: error.message });
  }

  /** It serves nobody and is in no hand-over: it may let go of everything and look again (R11). */
  get #isIdle(): boolean {
    return !this.#holdings.accepting && this.#newSide.link === null;
  }

  #mustBeOpen(phase: "listen" | "own"): void {
    if (this.#closed) throw new HandoffError("HOT4013", "the hand-off is closed", { phase });
  }
}

function isTaken(error: unknown): error is HandoffError {
  return error instanceof HandoffError && error.code === "HOT4010";
}
