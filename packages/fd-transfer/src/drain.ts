// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server, Socket } from "node:net";

export interface DrainOptions {
  /** After this many milliseconds what is left is destroyed, and counted. */
  readonly deadlineMs: number;
  /** Spread the announcements over this time, so that not all clients connect anew at once. Default 0. */
  readonly spreadMs?: number;
}

/** What became of the connections that were open when the drain began, and later. */
export interface DrainReport {
  readonly connections: number;
  /** Answered with `Connection: close`, or closed by the client. */
  readonly ended: number;
  /** Cut at the deadline while a request was being answered. */
  readonly destroyedBusy: number;
  /** Cut at the deadline without a request. */
  readonly destroyedIdle: number;
  readonly ms: number;
}

/**
 * Ends the HTTP/1 connections of this process and loses no request.
 * An idle keep-alive connection is never closed before the deadline, because a request may be on its way: its next
 * response carries `Connection: close` instead. `http.Server.close()` would destroy it and reset that request.
 */
export class Drain {
  readonly #sockets = new Set<Socket>();
  readonly #responses = new Set<ServerResponse>();
  readonly #onEmpty = new Set<() => void>();
  #closeFrom = new WeakMap<Socket, number>();
  #lastChange = performance.now();
  #begun: { readonly at: number; connections: number } | null = null;

  get connections(): number {
    return this.#sockets.size;
  }

  /** How long there has been no connection at all; 0 while there is one. Counts from the drain's begin. */
  quietForMs(): number {
    if (this.#sockets.size > 0 || this.#begun === null) return 0;
    return performance.now() - Math.max(this.#lastChange, this.#begun.at);
  }

  /** From now on the connections of this server are counted and can be drained. */
  track(server: Server): void {
    server.prependListener("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      this.#lastChange = performance.now();
      if (this.#begun !== null) this.#begun.connections++;
      socket.once("close", () => {
        this.#sockets.delete(socket);
        this.#lastChange = performance.now();
        if (this.#sockets.size === 0) for (const callback of this.#onEmpty) callback();
      });
    });
    server.prependListener("request", (request: IncomingMessage, response: ServerResponse) => {
      if (request.httpVersionMajor > 1) return;
      this.#responses.add(response);
      response.once("close", () => this.#responses.delete(response));
      this.#announce(response);
    });
  }

  /** Responses carry `Connection: close` from now on. Takes nothing away: {@link cancel} makes it undone. */
  begin(spreadMs = 0): void {
    if (this.#begun !== null) return;
    const at = performance.now();
    this.#begun = { at, connections: this.#sockets.size };
    let index = 0;
    for (const socket of this.#sockets) this.#closeFrom.set(socket, at + (spreadMs * index++) / this.#sockets.size);
    for (const response of this.#responses) this.#announce(response);
  }

  cancel(): void {
    this.#begun = null;
    this.#closeFrom = new WeakMap();
  }

  /** Waits until no connection is left, or until the deadline. */
  async finish(options: DrainOptions): Promise<DrainReport> {
    this.begin(options.spreadMs);
    const begun = this.#begun ?? { at: performance.now(), connections: 0 };
    await this.empty(options.deadlineMs);
    let destroyedBusy = 0;
    let destroyedIdle = 0;
    const busy = new Set<Socket | null>([...this.#responses].map((response) => response.socket));
    for (const socket of this.#sockets) {
      if (busy.has(socket)) destroyedBusy++;
      else destroyedIdle++;
      socket.destroy();
    }
    const ended = begun.connections - destroyedBusy - destroyedIdle;
    const ms = Math.round(performance.now() - begun.at);
    return { connections: begun.connections, ended, destroyedBusy, destroyedIdle, ms };
  }

  /** True when no connection is left within `ms`. */
  async empty(ms: number): Promise<boolean> {
    if (this.#sockets.size === 0) return true;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#onEmpty.delete(done);
        resolve(this.#sockets.size === 0);
      };
      const timer = setTimeout(done, ms);
      this.#onEmpty.add(done);
    });
  }

  #announce(response: ServerResponse): void {
    if (this.#begun === null || response.headersSent || response.socket === null) return;
    if (performance.now() < (this.#closeFrom.get(response.socket) ?? 0)) return;
    response.setHeader("Connection", "close");
  }
}
