// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from "node:events";
import { Application } from "./application.ts";
import type { Deferred } from "./deferred.ts";
import { deferred } from "./deferred.ts";
import { HandoffError, refusal } from "./errors.ts";
import type { HandoffEvents, HandoffRole } from "./events.ts";
import { tell } from "./events.ts";
import { Holdings } from "./holdings.ts";
import { Migration } from "./migration.ts";
import type { Identity } from "./new-side.ts";
import { NewSide } from "./new-side.ts";
import { OldSide } from "./old-side.ts";
import type { Lineage } from "./ownership.ts";
import type { Slot } from "./slot.ts";
import { Tenure } from "./tenure.ts";
import type { Timeouts } from "./protocol/limits.ts";
import { owns } from "./protocol/owns.ts";
import type { HostEffect, Outcome } from "./protocol/step.ts";
import { Upkeep } from "./upkeep.ts";

/**
 * One process of a lineage over its whole life: it seeks, takes over or starts cold, owns, hands over, stands by, takes
 * back. It joins the two sides' state machines with what the process holds; the decisions are the machines'.
 */
export class Participant {
  readonly events = new EventEmitter<HandoffEvents>();
  readonly holdings = new Holdings();
  readonly migration: Migration;
  readonly newSide: NewSide;
  readonly oldSide: OldSide;
  /** Settled when the role is known for the first time. */
  readonly opened: Deferred<void> = deferred();
  role: HandoffRole = "standby";
  terminating = false;
  closed = false;
  readonly tenure = new Tenure();
  readonly application: Application;
  readonly #times: Timeouts;
  readonly #upkeep: Upkeep;
  /** Keys of sockets that were given up here on purpose, and that a standby still has. */
  readonly #closed = new Set<string>();

  constructor(identity: Identity, times: Timeouts) {
    this.#times = times;
    const perform = (effect: HostEffect): void => this.#perform(effect);
    const ended = (outcome: Outcome): void => this.#ended(outcome);
    this.newSide = new NewSide(identity, times, this.holdings, {
      perform,
      ended,
      cold: (lineage) => this.#cold(lineage),
      waiting: () => this.#becomeStandby(),
      failed: (error) => this.#fail(error),
    });
    this.oldSide = new OldSide(identity, times, this.holdings, {
      perform,
      ended,
      isServing: () => this.tenure.confirmed && this.holdings.accepting,
      isLeaving: () => this.terminating,
      hasStandby: () => this.newSide.link !== null,
      releaseStandby: () => this.newSide.dispatch({ type: "releaseStandby" }),
      asked: (rank) => {
        // What is bound from now on would not be passed on: it waits for the end of this hand-over.
        this.application.lost();
        tell(this.events, "handoff", { version: rank.version });
      },
      moves: (session, move) => this.migration.receivers.admit(session, move),
      stopsAnswering: () => this.migration.receivers.close(),
    });
    this.application = new Application(this.holdings, this.tenure, this.newSide, {
      isFresh: () => this.role === "fresh",
      isServing: () => this.isServing(),
      serve: () => this.#serve(),
      startOver: (error) => this.#startOver(error),
      closeSocket: (slot) => this.#closeSocket(slot),
    });
    this.#upkeep = new Upkeep(this.oldSide, this.holdings, this.events, () => this.isServing());
    this.migration = new Migration(identity, times, {
      isServing: () => this.isServing() && !this.terminating,
      failed: (key, error) => tell(this.events, "connectionLost", { key, reason: String(error) }),
    });
  }

  /** By WORD as it is now, not by what was heard last. */
  isOwner(): boolean {
    if (!this.tenure.current) return false;
    const { link } = this.newSide;
    const given = this.oldSide.link?.readWord() ?? null;
    return owns(given, link?.readWord() ?? null, link?.state.phase === "releasing");
  }

  /** Owner for good, and accepting: what the receipt says. */
  isServing(): boolean {
    return this.tenure.confirmed && this.isOwner() && this.holdings.accepting;
  }

  /** A standby closes its descriptor as well, or the kernel would go on queueing to a socket that nobody reads. */
  #closeSocket(slot: Slot): void {
    // Closed before: the key may be another socket's by now.
    if (!this.holdings.has(slot)) return;
    this.#removeSocket(slot.key);
    if (this.newSide.link === null) return;
    this.#closed.add(slot.key);
    this.#tellClosed();
  }

  /** Before this process owns for good the other one may need them again. */
  #tellClosed(): void {
    const { link } = this.newSide;
    if (link?.state.phase !== "kept") return;
    for (const key of this.#closed) if (!this.holdings.holds(key)) link.session.send({ type: "CLOSED", key });
    this.#closed.clear();
  }

  #removeSocket(key: string): void {
    this.holdings.removeSlot(key);
    this.migration.untrack(key);
  }

  /** Of a process that is told to stop: the links are given up, the application's connections go on. */
  leave(): void {
    if (this.closed) return;
    this.oldSide.close();
    this.newSide.close();
    this.#letGo();
  }

  /** Ends everything at once, as a crash would, but leaves no file, and no descriptor but for a socket that lingers. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    const error = new HandoffError("HOT4013", "the hand-off was closed", { phase: "close" });
    this.oldSide.close();
    this.newSide.close();
    this.migration.close();
    this.holdings.leave();
    this.#disown();
    this.opened.reject(error);
    this.application.close(error);
  }

  #setRole(role: HandoffRole): void {
    this.opened.resolve();
    if (this.role === role) return;
    this.role = role;
    tell(this.events, "role", role);
  }

  #cold(lineage: Lineage): void {
    this.holdings.lineage = lineage;
    try {
      this.#own(lineage.takeEpoch(), true);
    } catch (error) {
      // Kept, L would be in this process' own way at the next attempt.
      this.holdings.letGo();
      throw error;
    }
    this.#setRole("fresh");
    this.application.held();
  }

  #serve(): void {
    this.holdings.closeUnclaimed();
    this.holdings.accept();
    this.#publish();
  }

  /** R11: the address stays taken although L is ours: close L and look again. */
  #startOver(error: HandoffError): void {
    this.#letGo();
    tell(this.events, "retry", { reason: error.message, afterMs: this.#times.backOffMs });
    this.newSide.seek(this.#times.backOffMs);
  }

  #perform(effect: HostEffect): void {
    switch (effect.type) {
      case "held":
        this.#setRole("successor");
        return this.application.held();
      case "waiting":
        return this.#becomeStandby();
      case "probe":
        return this.application.probe();
      case "accept":
        return this.holdings.accept();
      case "stopAccepting":
        return this.holdings.stopAccepting();
      case "own":
        return this.#own(effect.epoch, effect.confirmed);
      case "disown":
        return this.#disown();
      case "publish":
        return this.#publish();
      case "standby":
        this.tenure.passOn();
        this.#becomeStandby();
        this.oldSide.stopAnswering();
        return this.#drainInBackground();
      case "failed":
        tell(this.events, "rollback", { how: effect.how, reason: effect.reason });
        return;
      case "letGo":
        return this.#letGo();
      case "closeListener":
        return this.#removeSocket(effect.key);
      case "adopt":
      case "sendBatch":
        return;
    }
  }

  #own(epoch: bigint | "take" | "read", confirmed: boolean): void {
    const written = epoch === "take" ? this.holdings.lineage?.takeEpoch() : this.holdings.lineage?.readEpoch();
    this.tenure.begin(typeof epoch === "bigint" ? epoch : (written ?? this.tenure.epoch), confirmed);
    this.migration.stop();
    if (!confirmed) tell(this.events, "committed", this.tenure.epoch);
    this.#upkeep.begin();
  }

  #disown(): void {
    this.tenure.end();
    this.#upkeep.end();
  }

  /** Without a deadline: it ends when the last connection does, or when this process owns again. */
  #drainInBackground(): void {
    tell(this.events, "draining");
    this.migration.begin(true, (report) => {
      this.oldSide.reportDrained(report);
      tell(this.events, "drained", report);
    });
  }

  #publish(): void {
    this.#upkeep.publish(this.tenure.epoch);
    this.#tellClosed();
    if (this.role === "standby") this.#setRole("successor");
    this.application.readiness.resolve();
    tell(this.events, "owner", this.tenure.epoch);
  }

  #becomeStandby(): void {
    this.#disown();
    this.#setRole("standby");
  }

  #letGo(): void {
    this.application.lost();
    this.#disown();
    this.oldSide.stopAnswering();
    if (this.terminating) this.holdings.leave();
    else this.holdings.letGo();
    if (this.migration.drain.connections > 0) this.migration.begin(false);
  }

  #ended(outcome: Outcome): void {
    switch (outcome.kind) {
      case "kept":
      case "returned":
        if (this.holdings.lineage !== null) this.application.held();
        break;
      case "alone":
        this.oldSide.standbyGone();
        break;
      case "reclaimed":
        if (this.holdings.accepting) this.#serve();
        else this.application.proceed();
        break;
      case "released":
      case "left":
        this.#setRole("standby");
        if (!this.terminating) this.newSide.seek();
        break;
      case "retry":
        this.#setRole("standby");
        if (this.application.readiness.probeFailed) return this.application.readiness.rejectByProbe(true);
        tell(this.events, "retry", { reason: outcome.reason, afterMs: outcome.afterMs });
        if (!this.terminating) this.newSide.seek(outcome.afterMs);
        break;
      case "refused":
        this.#fail(refusal(outcome.code, outcome.reason));
        break;
    }
    tell(this.events, "change");
  }

  #fail(error: HandoffError): void {
    this.opened.reject(error);
    this.application.fail(error);
    // After the start nobody may be waiting for it: it may be mended from outside, so go on asking.
    tell(this.events, "retry", { reason: error.message, afterMs: this.#times.backOffMs });
    if (this.opened.settled === "resolved" && !this.terminating) {
      this.application.hopeAgain();
      this.newSide.seek(this.#times.backOffMs);
    }
  }
}
