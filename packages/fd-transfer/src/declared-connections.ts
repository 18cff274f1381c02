// SPDX-License-Identifier: Apache-2.0
import { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { deserialize, serialize } from "node:v8";
import { HandoffError } from "./errors.ts";
import type { ConnectionKind, Luggage, PackedConnection } from "./movable.ts";

/** What the application gives along with a connection that moves. */
export interface Packed<M> {
  /** Whatever the structured clone algorithm takes: plain values, Map, Set, Date, bigint, typed arrays. */
  readonly meta: M;
  /** Bytes that the application has read and not used, such as the begin of a line. */
  readonly unread?: Uint8Array;
}

export interface ConnectionOptions<M> {
  /**
   * Called when the connection has nothing to write. Returns what its next process has to know, or null when this is no
   * moment to move, for example within a message; it is asked again. After anything but null the socket is destroyed
   * (`close` is emitted, the client sees nothing), so forget it.
   */
  pack(socket: Socket): Packed<M> | null;
  /**
   * Goes on with a connection, in the new process as a rule, and in the old one when the move fails. The socket is a new
   * one; what `pack` gave as unread comes out of it first, then what the client has sent since. Add it to a
   * {@link Connections} again.
   */
  adopt(socket: Socket, meta: M): void;
  /** As in net.createServer; default false. */
  readonly allowHalfOpen?: boolean;
}

/** Connections that the application declares movable. */
export interface Connections {
  readonly key: string;
  /** How many there are in this process. */
  readonly size: number;
  /** From now on this connection can move. It is forgotten when it is closed or has moved. */
  add(socket: Socket): void;
}

export interface ConnectionHost {
  /** Counts it for the drain. */
  count(socket: Socket): void;
  /** A connection may have become ready to move. */
  wake(): void;
}

export class DeclaredConnections<M> implements Connections, ConnectionKind {
  readonly key: string;
  readonly #options: ConnectionOptions<M>;
  readonly #host: ConnectionHost;
  readonly #sockets = new Set<Socket>();

  constructor(key: string, options: ConnectionOptions<M>, host: ConnectionHost) {
    this.key = key;
    this.#options = options;
    this.#host = host;
  }

  get size(): number {
    return this.#sockets.size;
  }

  add(socket: Socket): void {
    if (!(socket instanceof Socket) || socket instanceof TLSSocket || socket.readableEncoding !== null) {
      const what = `${this.key}: a plain socket without an encoding can move; TLS and decoded ones cannot`;
      throw new HandoffError("HOT4014", what, { phase: "listen" });
    }
    // One that has closed meanwhile would never be forgotten.
    if (this.#sockets.has(socket) || socket.destroyed) return;
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    this.#host.count(socket);
    this.#host.wake();
  }

  has(socket: Socket): boolean {
    return this.#sockets.has(socket);
  }

  candidates(): Iterable<Socket> {
    return [...this.#sockets];
  }

  pack(socket: Socket): Luggage | null {
    const packed = this.#options.pack(socket);
    return packed === null ? null : { meta: serialize(packed.meta), unread: packed.unread ?? new Uint8Array() };
  }

  adopt({ fd, meta, unread }: PackedConnection): void {
    const { allowHalfOpen = false } = this.#options;
    const socket = new Socket({ fd: fd.release(), allowHalfOpen, readable: true, writable: true });
    if (unread.byteLength > 0) socket.unshift(unread);
    this.#host.count(socket);
    try {
      this.#options.adopt(socket, deserialize(meta) as M);
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }
}
