// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import type { DirectoryMode } from "./directory.ts";
import { HandoffError } from "./errors.ts";
import type { Holdings } from "./holdings.ts";
import type { LinkHost } from "./link.ts";
import { Link } from "./link.ts";
import { loadNative } from "./native/addon.ts";
import { connectToOwner } from "./owner-socket.ts";
import { Identities } from "./identities.ts";
import { Lineage } from "./ownership.ts";
import type { Timeouts } from "./protocol/limits.ts";
import type { Bodies, Message, MessageOf } from "./protocol/message.ts";
import type { Rank } from "./protocol/rank.ts";
import type { LinkEvent, Outcome } from "./protocol/step.ts";
import type { TakerState } from "./protocol/taker-state.ts";
import { startTaker, stepTaker } from "./protocol/taker.ts";
import { sign } from "./protocol/token.ts";
import { SPOKEN } from "./protocol/version.ts";
import { wordName } from "./protocol/word.ts";
import { Session } from "./session.ts";
import { warmUp } from "./warm-up.ts";

const LOCK_PAUSE_MS = 50;

/** Who this process is, in the words of HELLO. */
export interface Identity {
  readonly name: string;
  readonly dir: string;
  readonly rank: Rank;
  readonly token: string | undefined;
  readonly mode: DirectoryMode;
}

export interface NewSideHost extends LinkHost {
  /** L is ours: nobody of the lineage is alive. */
  cold(lineage: Lineage): void;
  /** Somebody else owns, or is about to. */
  waiting(): void;
  failed(error: HandoffError): void;
}

/** Looks for the owner, and takes over from it, or takes L when there is none (R11). */
export class NewSide {
  readonly #identity: Identity;
  readonly #times: Timeouts;
  readonly #holdings: Holdings;
  readonly #host: NewSideHost;
  #link: Link<TakerState> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #warm = false;

  constructor(identity: Identity, times: Timeouts, holdings: Holdings, host: NewSideHost) {
    this.#identity = identity;
    this.#times = times;
    this.#holdings = holdings;
    this.#host = host;
  }

  get link(): Link<TakerState> | null {
    return this.#link;
  }

  seek(afterMs = 0): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#seek(), afterMs);
  }

  stopSeeking(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** What the application says counts after what the old side has said before (R8). */
  dispatch(event: LinkEvent): void {
    this.#link?.catchUp();
    this.#link?.dispatch(event);
  }

  close(): void {
    this.stopSeeking();
    this.#link?.destroy();
    this.#link = null;
  }

  #seek(): void {
    // One hand-over at a time: what this one ends with decides whether to look again.
    if (this.#link !== null) return;
    try {
      const fd = connectToOwner(this.#identity.dir);
      if (typeof fd === "number") return this.#warm ? this.#ask(fd) : this.#warmUp(fd);
      const lineage = fd === null ? Lineage.tryAcquire(this.#identity.dir, this.#identity.mode) : null;
      if (lineage !== null) return this.#host.cold(lineage);
      // Wait, never steal.
      this.#host.waiting();
      this.seek(LOCK_PAUSE_MS);
    } catch (error) {
      const known = error instanceof HandoffError;
      this.#host.failed(known ? error : new HandoffError("HOT4002", String(error), { phase: "hello", cause: error }));
    }
  }

  /** There is an owner, which serves meanwhile. It is asked when nothing is left that it would have to wait for. */
  #warmUp(fd: number): void {
    loadNative().close(fd);
    this.#warm = true;
    const timer = this.#timer;
    void warmUp().then(() => {
      if (this.#timer === timer) this.#seek();
    });
  }

  #ask(fd: number): void {
    const { state, effects } = startTaker(this.#hello(), this.#times);
    const link = new Link<TakerState>(stepTaker, state, this.#times, {
      perform: (effect) => {
        if (effect.type === "adopt") link.dispatch(this.#adopt(link, effect.message));
        else this.#host.perform(effect);
      },
      ended: (outcome: Outcome) => {
        this.#link = null;
        this.#host.ended(outcome);
      },
    });
    this.#link = link;
    link.start(new Session(fd, link), effects);
  }

  #hello(): Message {
    const { name, rank, token } = this.#identity;
    const signed = { name, version: rank.version, startedAt: rank.startedAt, nonce: new Uint8Array(randomBytes(16)) };
    const body: Bodies["HELLO"] = {
      ...SPOKEN,
      ...signed,
      mac: sign("HELLO", token, signed),
      epochKnown: 0n,
      uid: process.geteuid?.() ?? 0,
      caps: 0,
    };
    return { type: "HELLO", ...body };
  }

  /** Takes the descriptors of one batch if every one is what the message says, by kind and SO_COOKIE. */
  #adopt(link: Link<TakerState>, message: MessageOf<"FDS">): LinkEvent {
    const { batch, items } = message;
    const count = items.length;
    try {
      const arrived = link.arrived.splice(0);
      const identities = arrived.length === count ? new Identities(arrived) : null;
      const wrong = (what: string): HandoffError => new HandoffError("HOT4006", what, { phase: "transfer" });
      for (const [index, fd] of arrived.entries()) {
        const item = items[index];
        try {
          if (item === undefined || arrived.length !== count) throw wrong(`${arrived.length} of ${count} came`);
          if (item.kind === "lock") {
            link.lineage = this.#holdings.lineage = Lineage.adopt(fd, this.#identity.dir, this.#identity.mode);
          } else if (item.kind === "word") {
            link.word = loadNative().mapWord(fd.fd);
            if (wordName(link.word.load()) !== "PREP") throw wrong("WORD does not begin with PREP");
            fd.close();
          } else if (item.kind === "listener" || item.kind === "datagram") {
            if (identities?.is(index, item.kind, item.cookie) !== true) {
              throw wrong(`${item.key} is not the ${item.kind} announced`);
            }
            this.#holdings.receive(item, fd);
          } else if (item.kind === "state") {
            this.#holdings.states.receive(item, fd);
          } else {
            fd.close();
          }
        } catch (error) {
          for (const rest of arrived.slice(index)) rest.close();
          throw error;
        }
      }
      if (arrived.length < count) throw wrong(`${arrived.length} of ${count} came`);
      if (link.word === null || this.#holdings.lineage === null) throw wrong("no lock or no word in the first batch");
      return { type: "adopted", batch, count, failure: null };
    } catch (error) {
      return { type: "adopted", batch, count, failure: error instanceof Error ? error.message : String(error) };
    }
  }
}
