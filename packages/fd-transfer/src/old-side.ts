// SPDX-License-Identifier: Apache-2.0
import { FILE_MODE } from "./directory.ts";
import type { DrainReport } from "./drain.ts";
import type { Holdings } from "./holdings.ts";
import type { LinkHost } from "./link.ts";
import { Link } from "./link.ts";
import { loadNative } from "./native/addon.ts";
import type { Identity } from "./new-side.ts";
import { OwnerSocket } from "./owner-socket.ts";
import type { Lineage } from "./ownership.ts";
import { Parcel } from "./parcel.ts";
import type { Admission } from "./protocol/admission.ts";
import { admit } from "./protocol/admission.ts";
import type { BackOff } from "./protocol/back-off.ts";
import { NO_BACK_OFF, rolledBack } from "./protocol/back-off.ts";
import type { GiverState } from "./protocol/giver-state.ts";
import { startGiver, stepGiver } from "./protocol/giver.ts";
import type { Timeouts } from "./protocol/limits.ts";
import type { Message, MessageOf } from "./protocol/message.ts";
import type { Rank } from "./protocol/rank.ts";
import type { LinkEvent } from "./protocol/step.ts";
import { isSigned } from "./protocol/token.ts";
import { Session, type SessionHandler } from "./session.ts";

/** Of those who are silent so far, and of those who stand by: neither may use up the descriptors of the application. */
const MAX_WAITING = 64;
const HELLO_MS = 1_000;
const BUSY_MS = 100;

export interface OldSideHost extends LinkHost {
  /** This process owns for good and accepts. */
  isServing(): boolean;
  hasStandby(): boolean;
  isLeaving(): boolean;
  /** R6: make the standby let go; `standbyGone` is called afterwards. */
  releaseStandby(): void;
  /** A hand-over to this rank begins. */
  asked(rank: Rank): void;
  /** Somebody who drains has connections to pass on. */
  moves(session: Session, move: MessageOf<"MOVE">): void;
  /** Nor does it take connections any more. */
  stopsAnswering(): void;
}

/** Answers on owner.sock, and hands over to one newer process at a time. Strangers cost a descriptor for one second. */
export class OldSide {
  readonly #identity: Identity;
  readonly #times: Timeouts;
  readonly #holdings: Holdings;
  readonly #host: OldSideHost;
  readonly #socket: OwnerSocket;
  /** Connected and silent so far. The oldest is first. */
  readonly #strangers = new Map<Session, NodeJS.Timeout>();
  /** Older processes that stand by; the end of this connection tells them that the owner is gone. */
  readonly #waiting = new Set<Session>();
  #parked: { readonly session: Session; readonly hello: MessageOf<"HELLO"> } | null = null;
  #link: Link<GiverState> | null = null;
  #parcel: Parcel | null = null;
  #backOff: BackOff = NO_BACK_OFF;

  constructor(identity: Identity, times: Timeouts, holdings: Holdings, host: OldSideHost) {
    this.#identity = identity;
    this.#times = times;
    this.#holdings = holdings;
    this.#host = host;
    this.#socket = new OwnerSocket(identity.dir, FILE_MODE[identity.mode], (fd) => this.#welcomeStranger(fd));
  }

  get link(): Link<GiverState> | null {
    return this.#link;
  }

  /** The sockets are on their way to somebody. */
  get isHanding(): boolean {
    const phase = this.#link?.state.phase;
    return phase === "transfer" || phase === "preparing";
  }

  publish(epoch: bigint): void {
    this.#socket.publish(epoch);
  }

  repair(): void {
    this.#socket.repair();
  }

  dispatch(event: LinkEvent): void {
    this.#link?.catchUp();
    this.#link?.dispatch(event);
  }

  /** The standby has let go: the HELLO that waited for it is answered now. */
  standbyGone(): void {
    const parked = this.#parked;
    this.#parked = null;
    if (parked !== null && !parked.session.closed) this.#answer(parked.session, parked.hello);
  }

  /** Told to stop: those who stand by ask again, and one of them takes over without a gap. */
  invite(): void {
    for (const session of this.#waiting) session.close();
    this.#waiting.clear();
  }

  /** Tells the new side that no connection is left here; a hint for people. */
  reportDrained(report: DrainReport): void {
    if (this.#link?.state.phase !== "standby") return;
    const { connections, moved, reset } = report;
    const ms = Math.min(report.ms, 0xffff_ffff); // 49 days
    this.#link.session.send({ type: "DRAINED", connections, destroyed: reset, ms, moved });
  }

  /** Answers nobody any more, and lets those who stand by look for the next owner. A hand-over goes on. */
  stopAnswering(): void {
    this.#socket.close();
    for (const timer of this.#strangers.values()) clearTimeout(timer);
    const all = [...this.#strangers.keys(), ...this.#waiting, ...(this.#parked === null ? [] : [this.#parked.session])];
    for (const session of all) session.close();
    this.#strangers.clear();
    this.#waiting.clear();
    this.#parked = null;
    this.#host.stopsAnswering();
  }

  close(): void {
    this.stopAnswering();
    this.#link?.destroy();
    this.#link = null;
    this.#parcel?.close();
  }

  #welcomeStranger(fd: number): void {
    this.#makeRoom(this.#strangers.keys(), this.#strangers.size);
    const uid = loadNative().peerCredentials(fd).uid;
    // Who is not of the group cannot reach the socket.
    const trusted = uid === (process.geteuid?.() ?? uid) || uid === 0 || this.#identity.mode === "group";
    const session = new Session(fd, {
      message: (message, fds) => {
        for (const one of fds) one.close();
        clearTimeout(this.#strangers.get(session));
        this.#strangers.delete(session);
        if (message.type === "HELLO" && trusted) return this.#answer(session, message);
        if (message.type === "MOVE" && trusted) return this.#host.moves(session, message);
        const refuse: Message = {
          type: "REFUSE",
          code: trusted ? "protocol" : "auth",
          reason: "HELLO or MOVE comes first",
        };
        this.#farewell(session, refuse);
      },
      eof: () => this.#forget(session),
      broken: () => this.#forget(session),
    });
    this.#strangers.set(
      session,
      setTimeout(() => this.#forget(session), HELLO_MS),
    );
  }

  /** The oldest goes; it may ask again. */
  #makeRoom(sessions: Iterator<Session>, count: number): void {
    const oldest = sessions.next().value;
    if (oldest !== undefined && count >= MAX_WAITING) this.#forget(oldest);
  }

  #forget(session: Session): void {
    clearTimeout(this.#strangers.get(session));
    this.#strangers.delete(session);
    this.#waiting.delete(session);
    if (this.#parked?.session === session) this.#parked = null;
    session.close();
  }

  #farewell(session: Session, message: Message): void {
    session.send(message);
    session.close();
  }

  #answer(session: Session, hello: MessageOf<"HELLO">): void {
    const admission = this.#admit(hello);
    const forget = (): void => this.#forget(session);
    const message: SessionHandler["message"] = (_, fds) => {
      for (const one of fds) one.close();
      forget();
    };
    session.handler = { message, eof: forget, broken: forget };
    switch (admission.kind) {
      case "refuse": {
        const { code, reason } = admission;
        if (code !== "standby") return this.#farewell(session, { type: "REFUSE", code, reason });
        session.send({ type: "REFUSE", code, reason });
        this.#makeRoom(this.#waiting.keys(), this.#waiting.size);
        this.#waiting.add(session);
        return;
      }
      case "busy":
        return this.#farewell(session, { type: "BUSY", retryAfterMs: admission.retryAfterMs, by: admission.by });
      case "releaseFirst":
        this.#parked = { session, hello };
        return this.#host.releaseStandby();
      case "welcome":
        return this.#handOver(session, hello, admission.proto);
    }
  }

  #admit(hello: MessageOf<"HELLO">): Admission {
    const { name, rank, token } = this.#identity;
    const phase = this.#link?.state.phase;
    const host = {
      name,
      rank,
      leaving: this.#host.isLeaving(),
      serving: this.#host.isServing(),
      handingTo: phase !== undefined ? `a hand-over (${phase})` : this.#parked !== null ? "another process" : null,
      hasStandby: this.#host.hasStandby(),
      backOff: this.#backOff,
      retryAfterMs: BUSY_MS,
      now: performance.now(),
    };
    return admit(host, hello, isSigned("HELLO", token, hello));
  }

  #handOver(session: Session, hello: MessageOf<"HELLO">, proto: number): void {
    const lineage = this.#holdings.lineage;
    if (lineage === null) return this.#farewell(session, { type: "BUSY", retryAfterMs: BUSY_MS, by: "its own end" });
    const parcel = this.#pack(lineage);
    if (parcel === null) return this.#farewell(session, { type: "BUSY", retryAfterMs: BUSY_MS, by: "what it lacks" });
    const rank: Rank = { version: hello.version, startedAt: hello.startedAt };
    const { epoch, count, batches, stateBytes } = parcel;
    const welcome: Message = { type: "WELCOME", proto, epoch, count, batches, stateBytes, caps: 0 };
    const { state, effects } = startGiver(batches, epoch, welcome, this.#times);
    let next = parcel.message(0);
    const link = new Link<GiverState>(stepGiver, state, this.#times, {
      perform: (effect) => {
        if (effect.type === "sendBatch") {
          const { batch } = effect;
          link.session.send(next, parcel.descriptors(batch), () => parcel.sent(batch));
          // While the new side looks at these the bytes of those that follow are made.
          next = parcel.message(batch + 1);
          if (batch + 1 < batches) link.session.prepare(next);
          return;
        }
        if (effect.type === "failed" && effect.how === "rolled") {
          this.#backOff = rolledBack(this.#backOff, rank, performance.now(), this.#times.backOffMs);
        }
        this.#host.perform(effect);
      },
      ended: (outcome) => {
        parcel.close();
        this.#link = null;
        this.#host.ended(outcome);
      },
    });
    this.#parcel = parcel;
    link.word = parcel.word;
    link.lineage = lineage;
    this.#link = link;
    this.#host.asked(rank);
    session.handler = link;
    link.start(session, effects);
    if (this.#host.isLeaving()) link.dispatch({ type: "terminate" });
  }

  /** Null when the application cannot export its state, or no descriptor is left: the new side asks again. */
  #pack(lineage: Lineage): Parcel | null {
    let what = "nothing can be passed on";
    try {
      const sockets = this.#holdings.entries();
      what = "the state cannot be exported";
      const states = this.#holdings.states.export();
      what = "nothing can be passed on";
      return new Parcel(lineage, sockets, states);
    } catch (error) {
      this.#host.perform({ type: "failed", how: "aborted", reason: `${what}: ${String(error)}` });
      return null;
    }
  }
}
