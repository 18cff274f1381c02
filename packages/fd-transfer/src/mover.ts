// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { Identities } from "./identities.ts";
import type { PackedConnection } from "./movable.ts";
import type { Movables } from "./movables.ts";
import type { OwnedFd } from "./native/owned-fd.ts";
import type { Identity } from "./new-side.ts";
import { connectToOwner } from "./owner-socket.ts";
import type { Timeouts } from "./protocol/limits.ts";
import type { Message } from "./protocol/message.ts";
import type { MoverEffect, MoverEvent, MoverState, MoverStep } from "./protocol/mover.ts";
import { startMover, stepMover } from "./protocol/mover.ts";
import { sign } from "./protocol/token.ts";
import { SPOKEN } from "./protocol/version.ts";
import { sealBytes } from "./sealed-bytes.ts";
import { Session } from "./session.ts";

/** Connections that were busy are looked at again after this time, if nothing says so before. */
const LOOK_MS = 100;
const FIRST_RETRY_MS = 10;
const LAST_RETRY_MS = 1_000;

/**
 * Passes this process' connections to whoever owns, while this process drains. Whoever the owner is: the one that took
 * over, the one that took back, or a later one. It uses a connection to owner.sock of its own, so a hand-over neither
 * waits for it nor depends on it.
 */
export class Mover {
  readonly #identity: Identity;
  readonly #times: Timeouts;
  readonly #movables: Movables;
  #running = false;
  #state: MoverState | null = null;
  #session: Session | null = null;
  #inFlight: PackedConnection[] = [];
  /** What goes along with them, until it is sent. */
  #luggage: OwnedFd | null = null;
  #retryMs = FIRST_RETRY_MS;
  /** Until then an owner that has not been reached may still take them: it publishes a moment after it has decided. */
  #hopeUntil = 0;
  #refused: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;
  /** How many may be packed now; 0 = it is not the moment. */
  #wanted = 0;
  #looking = false;
  readonly #events: MoverEvent[] = [];
  #stepping = false;

  constructor(identity: Identity, times: Timeouts, movables: Movables) {
    this.#identity = identity;
    this.#times = times;
    this.#movables = movables;
  }

  /** `expected`: somebody owns or is about to, though it may not be reached yet. */
  start(expected: boolean): void {
    if (this.#running || this.#movables.keys().length === 0) return;
    this.#running = true;
    this.#retryMs = FIRST_RETRY_MS;
    this.#hopeUntil = expected ? performance.now() + this.#times.connectMs : 0;
    this.#refused = new Set();
    // Otherwise the last batch of an earlier time is still on its way; it goes on after that.
    if (this.#state === null) this.#seek();
  }

  /** No more begin to move. Those on their way are waited for. */
  stop(): void {
    if (!this.#running) return;
    this.#running = false;
    clearTimeout(this.#timer);
    this.#step({ type: "stop" });
  }

  /** Ends without a word. What is on its way belongs to the owner, or to nobody. */
  close(): void {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#session?.close();
    this.#session = null;
    this.#state = null;
    this.#giveUp();
  }

  /** This connection will move, so its answers need not announce an end. */
  takes(socket: Socket): boolean {
    if (!this.#running || performance.now() > this.#hopeUntil) return false;
    const key = this.#movables.keyOf(socket);
    return key !== null && !this.#refused.has(key);
  }

  /** A connection may have become ready to move. */
  wake(): void {
    if (this.#wanted === 0 || this.#looking) return;
    this.#looking = true;
    setImmediate(() => {
      this.#looking = false;
      this.#look();
    });
  }

  #seek(): void {
    try {
      const fd = connectToOwner(this.#identity.dir);
      if (typeof fd === "number") return this.#ask(fd);
    } catch {
      // Out of reach: the connections are drained here. It may be mended, so go on asking.
    }
    this.#retryLater(0);
  }

  #retryLater(atLeastMs: number): void {
    if (!this.#running) return;
    this.#timer = setTimeout(() => this.#seek(), Math.max(atLeastMs, this.#retryMs));
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
  }

  #ask(fd: number): void {
    this.#hopeUntil = performance.now() + this.#times.connectMs;
    const { name, rank, token } = this.#identity;
    const signed = { name, version: rank.version, startedAt: rank.startedAt, nonce: new Uint8Array(randomBytes(16)) };
    const mac = sign("MOVE", token, signed);
    const move: Message = { type: "MOVE", ...SPOKEN, ...signed, mac, keys: this.#movables.keys() };
    this.#session = new Session(fd, {
      message: (message, fds) => {
        for (const one of fds) one.close();
        this.#learn(message);
        this.#step({ type: "message", message });
      },
      eof: () => this.#step({ type: "eof" }),
      broken: () => this.#step({ type: "broken" }),
    });
    this.#apply(startMover(move, this.#times.connectMs));
  }

  #learn(message: Message): void {
    if (message.type === "REFUSE") this.#hopeUntil = 0;
    if (message.type !== "MOVING") return;
    this.#retryMs = FIRST_RETRY_MS;
    this.#hopeUntil = Infinity;
    this.#refused = new Set(this.#movables.keys().filter((key) => !message.keys.includes(key)));
  }

  #step(event: MoverEvent): void {
    this.#events.push(event);
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        if (this.#state !== null) this.#apply(stepMover(this.#state, next));
      }
    } finally {
      this.#stepping = false;
    }
  }

  #apply({ state, effects }: MoverStep): void {
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: MoverEffect): void {
    switch (effect.type) {
      case "send":
        return this.#session?.send(effect.message);
      case "timer":
        this.#timer = setTimeout(() => this.#step({ type: "timer" }), effect.ms);
        return;
      case "cancel":
        return clearTimeout(this.#timer);
      case "look":
        return this.#lookAfter(effect.afterMs, effect.max);
      case "sendBatch":
        return this.#sendBatch(effect.batch);
      case "settle":
        return this.#settle(effect.taken);
      case "takeBack":
        return this.#settle(this.#inFlight.map(() => false));
      case "giveUp":
        return this.#giveUp();
      case "close":
        this.#wanted = 0;
        this.#session?.close();
        this.#session = null;
        return;
      case "ended":
        this.#state = null;
        this.#hopeUntil = Math.min(this.#hopeUntil, performance.now() + this.#times.connectMs);
        this.#retryLater(effect.againMs ?? 0);
    }
  }

  #lookAfter(ms: number, max: number): void {
    const begin = (): void => {
      this.#wanted = max;
      this.wake();
    };
    if (ms === 0) begin();
    else this.#timer = setTimeout(begin, ms);
  }

  #look(): void {
    const state = this.#state;
    if (this.#wanted === 0 || state === null) return;
    clearTimeout(this.#timer);
    // An owner that has ended in the meantime must not get any more (R8).
    this.#session?.readAll();
    if (this.#state !== state) return;
    const packed = this.#movables.pack(state.keys, this.#wanted);
    if (packed.length === 0) {
      this.#timer = setTimeout(() => this.#look(), LOOK_MS);
      return;
    }
    this.#inFlight = packed;
    if (!this.#sealLuggage()) {
      this.#settle(packed.map(() => false));
      this.#timer = setTimeout(() => this.#look(), LOOK_MS);
      return;
    }
    this.#wanted = 0;
    this.#step({ type: "packed", count: packed.length });
  }

  /** False: there is no descriptor or memory for it now. */
  #sealLuggage(): boolean {
    const bytes = this.#inFlight.flatMap(({ meta, unread }) => [meta, unread]).filter((one) => one.byteLength > 0);
    try {
      this.#luggage = bytes.length === 0 ? null : sealBytes(bytes);
      return true;
    } catch {
      return false;
    }
  }

  #sendBatch(batch: number): void {
    const keys = this.#state?.keys ?? [];
    const luggage = this.#luggage;
    this.#luggage = null;
    const identities = new Identities(this.#inFlight.map(({ fd }) => fd));
    const items = this.#inFlight.map(({ key, meta, unread }, index) => ({
      key: keys.indexOf(key),
      cookie: identities.cookie(index),
      metaBytes: meta.byteLength,
      unreadBytes: unread.byteLength,
    }));
    const fds = [...this.#inFlight.map(({ fd }) => fd), ...(luggage === null ? [] : [luggage])].map(({ fd }) => fd);
    this.#session?.send({ type: "CONN", batch, items }, fds, () => luggage?.close());
  }

  #settle(taken: readonly boolean[]): void {
    const settled = this.#inFlight;
    this.#inFlight = [];
    for (const [index, packed] of settled.entries()) {
      if (taken[index] === true) this.#movables.moved(packed);
      else this.#movables.takeBack(packed);
    }
  }

  #giveUp(): void {
    for (const packed of this.#inFlight) this.#movables.giveUp(packed);
    this.#inFlight = [];
    this.#luggage?.close();
    this.#luggage = null;
  }
}
