// SPDX-License-Identifier: Apache-2.0
import type { HandoffError } from "./errors.ts";
import type { Word } from "./native/contract.ts";
import type { OwnedFd } from "./native/owned-fd.ts";
import type { Lineage } from "./ownership.ts";
import type { Timeouts } from "./protocol/limits.ts";
import type { Message } from "./protocol/message.ts";
import type { HostEffect, LinkEffect, LinkEvent, Observed, Outcome, Step, TimerName } from "./protocol/step.ts";
import type { WordName } from "./protocol/word.ts";
import { WORD, wordName } from "./protocol/word.ts";
import type { Session, SessionHandler } from "./session.ts";

/** So often within hangMs it is looked whether the peer is there. */
const LOOKS = 5;

export interface LinkHost {
  perform(effect: HostEffect): void;
  ended(outcome: Outcome): void;
}

/**
 * Runs one side's state machine over one connection: feeds it what happens and does what it says, in order.
 * Before a timer or a silence counts, everything that has arrived is handled (R8), and WORD is read at each step.
 */
export class Link<S extends { readonly phase: string }> implements SessionHandler {
  readonly #machine: (state: S, event: LinkEvent, observed: Observed) => Step<S>;
  readonly #times: Timeouts;
  readonly #host: LinkHost;
  readonly #timers = new Map<TimerName, NodeJS.Timeout>();
  readonly #events: LinkEvent[] = [];
  #session: Session | null = null;
  #state: S;
  #running = false;
  #watch: NodeJS.Timeout | undefined;
  /** Looks since the PING that has no answer yet; null when there is none. */
  #looksInVain: number | null = null;
  #silent: "no" | "hang" | "dead" = "no";
  #pings = 0;

  /** WORD of this hand-over, once there is one. */
  word: Word | null = null;
  /** Where epochs are written; the side that takes one holds L. */
  lineage: Lineage | null = null;
  /** Descriptors of the FDS message that is being handled. */
  arrived: OwnedFd[] = [];

  constructor(
    machine: (state: S, event: LinkEvent, observed: Observed) => Step<S>,
    state: S,
    times: Timeouts,
    host: LinkHost,
  ) {
    this.#machine = machine;
    this.#state = state;
    this.#times = times;
    this.#host = host;
  }

  get state(): S {
    return this.#state;
  }

  get session(): Session {
    if (this.#session === null) throw new Error("the link was not started");
    return this.#session;
  }

  /** Does the first effects. The session must deliver to this link from now on. */
  start(session: Session, effects: readonly LinkEffect[]): void {
    this.#session = session;
    this.#run(() => this.#perform(effects));
  }

  readWord(): WordName | null {
    return this.word === null ? null : wordName(this.word.load());
  }

  dispatch(event: LinkEvent): void {
    this.#events.push(event);
    this.#run(() => undefined);
  }

  message(message: Message, fds: OwnedFd[]): void {
    this.#heard();
    if (message.type === "PING") return this.session.send({ type: "PONG", id: message.id });
    if (message.type === "PONG") return;
    this.arrived = fds;
    this.dispatch({ type: "message", message });
    for (const fd of this.arrived) fd.close();
    this.arrived = [];
  }

  eof(): void {
    this.dispatch({ type: "eof" });
  }

  broken(error: HandoffError): void {
    this.dispatch({ type: "broken", reason: error.message });
  }

  /** Handles what has arrived; whoever decides on anything outside the link calls it before. */
  catchUp(): void {
    this.#session?.readAll();
  }

  /** Ends without a word, as if the process had died. */
  destroy(): void {
    clearInterval(this.#watch);
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#session?.close();
    this.word?.close();
    this.word = null;
  }

  #run(first: () => void): void {
    if (this.#running) return;
    this.#running = true;
    try {
      first();
      for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) {
        const observed: Observed = { word: this.readWord(), eof: this.session.eof };
        const { state, effects } = this.#machine(this.#state, event, observed);
        this.#state = state;
        this.#perform(effects);
      }
    } finally {
      this.#running = false;
    }
  }

  #perform(effects: readonly LinkEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "send":
          this.session.send(effect.message);
          break;
        case "cas":
          // Its result comes before anything else that waits.
          this.#events.unshift(this.#compareAndSwap(effect.from, effect.to, effect.epoch));
          break;
        case "timer":
          this.#setTimer(effect.name, effect.ms);
          break;
        case "cancel":
          clearTimeout(this.#timers.get(effect.name));
          this.#timers.delete(effect.name);
          break;
        case "watch":
          this.#setWatch(effect.on);
          break;
        case "close":
          this.session.close();
          this.#setWatch(false);
          for (const timer of this.#timers.values()) clearTimeout(timer);
          this.#timers.clear();
          break;
        case "ended":
          this.word?.close();
          this.word = null;
          this.#host.ended(effect.outcome);
          break;
        case "sendBatch":
        case "adopt":
        case "waiting":
        case "held":
        case "probe":
        case "accept":
        case "stopAccepting":
        case "own":
        case "disown":
        case "publish":
        case "standby":
        case "failed":
        case "letGo":
        case "closeListener":
          this.#host.perform(effect);
          break;
      }
    }
  }

  #compareAndSwap(from: WordName, to: WordName, withEpoch: boolean): LinkEvent {
    if (this.word === null) return { type: "cas", to, won: false, epoch: 0n };
    // The epoch is written before the swap makes somebody owner; a lost swap wastes a number.
    const epoch = withEpoch && this.lineage !== null ? this.lineage.takeEpoch() : 0n;
    return { type: "cas", to, won: this.word.compareExchange(WORD[from], WORD[to]), epoch };
  }

  #setTimer(name: TimerName, ms: number): void {
    clearTimeout(this.#timers.get(name));
    const timer = setTimeout(() => {
      this.catchUp();
      if (this.#timers.get(name) !== timer) return;
      this.#timers.delete(name);
      this.dispatch({ type: "timer", name });
    }, ms);
    this.#timers.set(name, timer);
  }

  #setWatch(on: boolean): void {
    clearInterval(this.#watch);
    this.#watch = undefined;
    this.#looksInVain = null;
    this.#silent = "no";
    if (!on) return;
    this.#watch = setInterval(() => this.#look(), this.#times.hangMs / LOOKS);
    this.#ping();
  }

  /**
   * Silence is counted in looks, so that a pause of this process is no silence of the peer. One look may have passed
   * between the last sign of life and the PING, so that a hang is known of within hangMs.
   */
  #look(): void {
    this.catchUp();
    if (this.#watch === undefined) return;
    if (this.#looksInVain === null) return this.#ping();
    this.#looksInVain++;
    const silenceMs = (this.#looksInVain + 1) * (this.#times.hangMs / LOOKS);
    if (silenceMs >= this.#times.deadMs) this.#hush("dead");
    else if (silenceMs >= this.#times.hangMs) this.#hush("hang");
  }

  #hush(level: "hang" | "dead"): void {
    if (this.#watch === undefined || this.#silent === level || this.#silent === "dead") return;
    this.#silent = level;
    this.dispatch({ type: "silent", level });
  }

  #ping(): void {
    this.#looksInVain = 0;
    this.#pings = (this.#pings + 1) >>> 0;
    this.session.send({ type: "PING", id: this.#pings });
  }

  #heard(): void {
    this.#looksInVain = null;
    if (this.#silent === "no") return;
    this.#silent = "no";
    this.dispatch({ type: "heard" });
  }
}
