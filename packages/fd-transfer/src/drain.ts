// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server, Socket } from "node:net";
import { announceEnd } from "./last-response.ts";

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

interface Begun {
  readonly at: number;
  connections: number;
  onEmpty: (report: DrainReport) => void;
}

/**
 * Ends the HTTP/1 connections of this process and loses no request.
 * An idle keep-alive connection is never closed before the deadline, because a request may be on its way: its next
 * response carries `Connection: close` instead. `http.Server.close()` would destroy it and reset that request.
 */
export class Drain {
  readonly #sockets = new Set<Socket>();
  readonly #responses = new Map<ServerResponse, Socket>();
  readonly #newest = new WeakMap<Socket, ServerResponse>();
  readonly #waiting = new Set<() => void>();
  #closeFrom = new WeakMap<Socket, number>();
  #lastChange = performance.now();
  #begun: Begun | null = null;

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
        if (this.#sockets.size === 0) this.#empty();
      });
    });
    server.prependListener("request", (request: IncomingMessage, response: ServerResponse) => {
      if (request.httpVersionMajor > 1) return;
      const { socket } = request;
      this.#responses.set(response, socket);
      this.#newest.set(socket, response);
      response.once("close", () => this.#responses.delete(response));
      // Requests that were sent at once are all answered: the end is announced with the last of them.
      announceEnd(request, response, () => this.#isEnding(socket) && this.#newest.get(socket) === response);
    });
  }

  /**
   * Responses carry `Connection: close` from now on. Takes nothing away: {@link cancel} makes it undone.
   * `onEmpty` is called once, when no connection is left.
   */
  begin(spreadMs = 0, onEmpty: (report: DrainReport) => void = () => undefined): void {
    if (this.#begun !== null) return;
    const at = performance.now();
    this.#begun = { at, connections: this.#sockets.size, onEmpty };
    let index = 0;
    for (const socket of this.#sockets) this.#closeFrom.set(socket, at + (spreadMs * index++) / this.#sockets.size);
    if (this.#sockets.size === 0) this.#empty();
  }

  /** This process serves again: nothing is announced or destroyed any more. */
  cancel(): void {
    this.#begun = null;
    this.#closeFrom = new WeakMap();
    for (const done of this.#waiting) done();
  }

  /** Waits until no connection is left, until the deadline, or until the drain is cancelled. */
  async finish(options: DrainOptions): Promise<DrainReport> {
    this.begin(options.spreadMs);
    const begun = this.#begun;
    await this.#untilEmpty(options.deadlineMs);
    const left = [...this.#sockets];
    if (this.#begun !== begun) return report(begun, 0, 0, left.length);
    const busy = new Set(this.#responses.values());
    for (const socket of left) socket.destroy();
    const destroyedBusy = left.filter((socket) => busy.has(socket)).length;
    return report(begun, destroyedBusy, left.length - destroyedBusy);
  }

  async #untilEmpty(ms: number): Promise<void> {
    if (this.#sockets.size === 0) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#waiting.add(done);
    });
  }

  #empty(): void {
    for (const done of this.#waiting) done();
    const begun = this.#begun;
    if (begun === null) return;
    const { onEmpty } = begun;
    begun.onEmpty = () => undefined;
    onEmpty(report(begun, 0, 0));
  }

  #isEnding(socket: Socket): boolean {
    return this.#begun !== null && performance.now() >= (this.#closeFrom.get(socket) ?? 0);
  }
}

function report(begun: Begun | null, destroyedBusy: number, destroyedIdle: number, left = 0): DrainReport {
  const { at, connections } = begun ?? { at: performance.now(), connections: 0 };
  const ended = Math.max(0, connections - destroyedBusy - destroyedIdle - left);
  return { connections, ended, destroyedBusy, destroyedIdle, ms: Math.round(performance.now() - at) };
}
