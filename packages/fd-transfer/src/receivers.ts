// SPDX-License-Identifier: Apache-2.0
import { Adoptions } from "./adoptions.ts";
import { descriptorBudget } from "./descriptor-budget.ts";
import { Identities } from "./identities.ts";
import type { PackedConnection } from "./movable.ts";
import type { Movables } from "./movables.ts";
import { OwnedFd } from "./native/owned-fd.ts";
import type { Identity } from "./new-side.ts";
import type { Message, MessageOf } from "./protocol/message.ts";
import { receive } from "./protocol/receiver.ts";
import { isSigned } from "./protocol/token.ts";
import { negotiate } from "./protocol/version.ts";
import { readSealed } from "./sealed-bytes.ts";
import type { Session } from "./session.ts";

const BUSY_MS = 100;
/** Few processes of one name drain at a time, and whoever reaches owner.sock could ask for more. */
const MAX_SESSIONS = 64;

/** One batch that cannot be decided on before the one before it is adopted. */
interface Waiting {
  readonly keys: readonly string[];
  readonly message: MessageOf<"CONN">;
  readonly fds: OwnedFd[];
}

/** Those who drain and pass their connections to this process, the owner. */
export class Receivers {
  readonly #identity: Identity;
  readonly #movables: Movables;
  /** This process owns for good, accepts, and was not told to stop. */
  readonly #isServing: () => boolean;
  readonly #sessions = new Set<Session>();
  readonly #adoptions: Adoptions;
  readonly #waiting = new Map<Session, Waiting>();

  constructor(identity: Identity, movables: Movables, isServing: () => boolean) {
    this.#identity = identity;
    this.#movables = movables;
    this.#isServing = isServing;
    this.#adoptions = new Adoptions({
      expect: () => movables.expect(),
      adopt: (packed) => movables.arrive(packed),
      done: () => this.#next(),
    });
  }

  /** A server of this process has a connection, new or adopted. */
  came(): void {
    this.#adoptions.came();
  }

  /** Answers a MOVE; the user of the peer has been checked. */
  admit(session: Session, move: MessageOf<"MOVE">): void {
    const { name, token } = this.#identity;
    const proto = negotiate(move);
    const refuse = (code: MessageOf<"REFUSE">["code"], reason: string): Message => ({ type: "REFUSE", code, reason });
    if (!isSigned("MOVE", token, move)) return farewell(session, refuse("auth", "wrong user or token"));
    if (move.name !== name) return farewell(session, refuse("name", `this is ${name}`));
    if (proto === null) return farewell(session, refuse("version", "no protocol in common"));
    if (!this.#isServing()) {
      return farewell(session, { type: "BUSY", retryAfterMs: BUSY_MS, by: "somebody else owns" });
    }
    const keys = move.keys.filter((key) => this.#movables.has(key));
    const end = (): void => this.#end(session);
    session.handler = { message: (message, fds) => this.#message(session, keys, message, fds), eof: end, broken: end };
    this.#makeRoom();
    this.#sessions.add(session);
    session.send({ type: "MOVING", proto, keys, fdBudget: descriptorBudget() });
  }

  /** What was taken is this process' own; about the rest nothing was said, so it goes on where it came from. */
  close(): void {
    this.#adoptions.finish();
    for (const { fds } of this.#waiting.values()) for (const fd of fds) fd.close();
    this.#waiting.clear();
    for (const session of this.#sessions) session.close();
    this.#sessions.clear();
  }

  /** The oldest goes; what it has sent and nobody has read here stays its own, and it may ask again. */
  #makeRoom(): void {
    if (this.#sessions.size < MAX_SESSIONS) return;
    for (const one of this.#sessions) if (!this.#waiting.has(one)) return this.#end(one);
  }

  #end(session: Session): void {
    this.#sessions.delete(session);
    session.close();
  }

  #message(session: Session, keys: readonly string[], message: Message, fds: OwnedFd[]): void {
    try {
      // One batch at a time: a second one before the answer to the first breaks the protocol.
      if (message.type !== "CONN" || this.#waiting.has(session)) this.#end(session);
      else if (!this.#adoptions.busy) this.#receive(session, keys, message, fds);
      else this.#waiting.set(session, { keys, message, fds: fds.map((fd) => new OwnedFd(fd.release())) });
    } finally {
      for (const fd of fds) fd.close();
    }
  }

  /** Also when its session has ended: who sent it may be dead. */
  #next(): void {
    for (const [session, { keys, message, fds }] of this.#waiting) {
      this.#waiting.delete(session);
      this.#message(session, keys, message, fds);
      if (this.#adoptions.busy) return;
    }
  }

  /** What is not taken is closed by whoever called this. */
  #receive(session: Session, keys: readonly string[], { batch, items }: MessageOf<"CONN">, fds: OwnedFd[]): void {
    const bytes = items.reduce((sum, item) => sum + item.metaBytes + item.unreadBytes, 0);
    const memory = bytes > 0 ? fds[items.length] : undefined;
    if (fds.length !== items.length + (bytes > 0 ? 1 : 0)) return this.#end(session);
    let luggage: Buffer;
    try {
      luggage = memory === undefined ? Buffer.alloc(0) : readSealed(memory.fd, bytes);
    } catch {
      return this.#end(session);
    }
    const identities = new Identities(fds);
    const wanted = items.map(({ key, cookie }, index) => {
      return keys[key] !== undefined && identities.is(index, "stream", cookie);
    });
    let offset = 0;
    const packed = items.map((item, index): PackedConnection | null => {
      const unreadAt = offset + item.metaBytes;
      const meta = luggage.subarray(offset, unreadAt);
      const unread = luggage.subarray(unreadAt, (offset = unreadAt + item.unreadBytes));
      const [key, fd] = [keys[item.key], fds[index]];
      return key === undefined || fd === undefined ? null : { key, fd, meta, unread };
    });
    const taken: PackedConnection[] = [];
    const restMs = this.#adoptions.restMs();
    for (const effect of receive(batch, { serving: this.#isServing(), wanted, restMs })) {
      if (effect.type === "send") session.send(effect.message);
      const connection = effect.type === "adopt" ? packed[effect.index] : null;
      if (connection === null || connection === undefined) continue;
      taken.push({ ...connection, fd: new OwnedFd(connection.fd.release()) });
    }
    this.#adoptions.take(taken);
  }
}

function farewell(session: Session, message: Message): void {
  session.send(message);
  session.close();
}
