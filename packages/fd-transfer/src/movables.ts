// SPDX-License-Identifier: Apache-2.0
import type { Socket } from "node:net";
import { HandoffError } from "./errors.ts";
import type { ConnectionKind, Luggage, PackedConnection } from "./movable.ts";
import { detach, isAtRest, secondDescriptor } from "./movable.ts";
import { MAX_KINDS } from "./protocol/message.ts";

export interface MovablesHost {
  /** This one leaves its socket, and is neither closed nor moved so far. */
  lift(socket: Socket): void;
  /** One has come that nobody reads so far. */
  expect(): void;
  /** Another process reads one that was lifted, or this one does, again or for the first time. */
  land(moved: boolean): void;
  /** The application could not pack a connection, which is drained here then, or go on with one, which is closed. */
  failed(key: string, error: unknown): void;
}

/** All kinds of connections that this process can pass on or adopt. */
export class Movables {
  readonly #kinds = new Map<string, ConnectionKind>();
  readonly #host: MovablesHost;
  /** Their application could not pack them: as they are, they are nothing that another process can go on with. */
  readonly #staying = new WeakSet<Socket>();

  constructor(host: MovablesHost) {
    this.#host = host;
  }

  /** One message names all kinds. */
  get full(): boolean {
    return this.#kinds.size === MAX_KINDS;
  }

  add(kind: ConnectionKind): void {
    if (this.#kinds.has(kind.key) || this.full || Buffer.byteLength(kind.key) > 255) {
      const what = `connections "${kind.key}" exist, or are more than ${MAX_KINDS} kinds, or have over 255 bytes`;
      throw new HandoffError("HOT4014", what, { phase: "listen" });
    }
    this.#kinds.set(kind.key, kind);
  }

  remove(key: string): void {
    this.#kinds.delete(key);
  }

  keys(): string[] {
    return [...this.#kinds.keys()];
  }

  has(key: string): boolean {
    return this.#kinds.has(key);
  }

  keyOf(socket: Socket): string | null {
    if (this.#staying.has(socket)) return null;
    for (const [key, kind] of this.#kinds) if (kind.has(socket)) return key;
    return null;
  }

  /** Takes away up to `max` connections of these kinds that can move now. */
  pack(keys: readonly string[], max: number): PackedConnection[] {
    const packed: PackedConnection[] = [];
    for (const key of keys) {
      const kind = this.#kinds.get(key);
      if (kind === undefined) continue;
      for (const socket of kind.candidates()) {
        if (packed.length === max) return packed;
        if (!isAtRest(socket) || this.#staying.has(socket)) continue;
        const fd = secondDescriptor(socket);
        // None is free in this process: those that move now make room.
        if (fd === null) return packed;
        const luggage = this.#luggageOf(kind, socket);
        if (luggage === null) {
          fd.close();
          continue;
        }
        this.#host.lift(socket);
        packed.push(detach(socket, { key, fd, ...luggage }));
      }
    }
    return packed;
  }

  #luggageOf(kind: ConnectionKind, socket: Socket): Luggage | null {
    try {
      return kind.pack(socket);
    } catch (error) {
      this.#staying.add(socket);
      this.#host.failed(kind.key, error);
      return null;
    }
  }

  /** Another process has it. */
  moved(packed: PackedConnection): void {
    packed.fd.close();
    this.#host.land(true);
  }

  /** It stays here after all. */
  takeBack(packed: PackedConnection): void {
    this.#host.land(false);
    this.adopt(packed);
  }

  /** One will {@link arrive} that is this process' own already. */
  expect(): void {
    this.#host.expect();
  }

  arrive(packed: PackedConnection): void {
    this.takeBack(packed);
  }

  /** It is lost to this process. */
  giveUp(packed: PackedConnection): void {
    packed.fd.close();
    this.#host.land(false);
  }

  adopt(packed: PackedConnection): void {
    try {
      this.#kinds.get(packed.key)?.adopt(packed);
    } catch (error) {
      this.#host.failed(packed.key, error);
    } finally {
      packed.fd.close();
    }
  }
}
