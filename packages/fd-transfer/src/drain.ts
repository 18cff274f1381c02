// SPDX-License-Identifier: Apache-2.0
import type { ServerResponse } from "node:http";
import type { Server } from "node:net";
import { Socket } from "node:net";
import { onEveryRequest } from "./alongside.ts";
import { Http2Sessions } from "./http2-sessions.ts";
import { announceEnd, numberOf } from "./last-response.ts";
import { LONGEST_MS } from "./protocol/limits.ts";

export interface DrainOptions {
  /** After this many milliseconds what is left is destroyed, and counted. Infinity: it is waited for, up to 24 days. */
  readonly deadlineMs: number;
  /** Spread the announcements over this time, so that not all clients connect anew at once. Default 0. */
  readonly spreadMs?: number;
  /** Ends the wait: it is rejected with the signal's reason, and what is left is neither closed nor reset. */
  readonly signal?: AbortSignal;
}

/** What became of the connections that were open when the drain began, and later. */
export interface DrainReport {
  readonly connections: number;
  /** Another process goes on with them; their clients saw nothing of it. */
  readonly moved: number;
  /** Answered with `Connection: close`, or closed by the client. */
  readonly closed: number;
  /** Cut at the deadline. */
  readonly reset: number;
  /** Those of them that were cut while a request was being answered. */
  readonly resetBusy: number;
  readonly ms: number;
}

/** The requests of one connection, in numbers: whatever led from it to a response would keep that alive for longer. */
interface Tally {
  asked: number;
  answered: number;
}

const TALLY = Symbol("tally");

interface Begun {
  readonly at: number;
  connections: number;
  moved: number;
  onEmpty: (report: DrainReport) => void;
}

/**
 * Ends the connections of this process and loses no request: those of HTTP/1 as follows, HTTP/2 sessions by GOAWAY.
 * An idle keep-alive connection is never closed before the deadline, because a request may be on its way: its next
 * response carries `Connection: close` instead, unless the connection is about to move to the process that owns.
 * `http.Server.close()` would destroy it and reset that request.
 */
export class Drain {
  /** And from when on the end of each is announced. */
  readonly #sockets = new Map<Socket, number>();
  readonly #waiting = new Set<() => void>();
  #lastChange = performance.now();
  #begun: Begun | null = null;
  /** Read by no process: on their way to another one, or back. */
  #lifted = 0;
  readonly #willMove: (socket: Socket) => boolean;
  readonly #sessions = new Http2Sessions();
  readonly #isLast = (response: ServerResponse): boolean => {
    const socket = below(response.req.socket);
    return this.#isEnding(socket) && tallyOf(socket).asked === numberOf(response);
  };

  constructor(willMove: (socket: Socket) => boolean = () => false) {
    this.#willMove = willMove;
  }

  get connections(): number {
    return this.#sockets.size + this.#lifted;
  }

  /** How long there has been no connection at all; 0 while there is one. Counts from the drain's begin. */
  quietForMs(): number {
    if (this.connections > 0 || this.#begun === null) return 0;
    return performance.now() - Math.max(this.#lastChange, this.#begun.at);
  }

  /** From now on the connections of this server are counted and can be drained. */
  track(server: Server): void {
    server.prependListener("connection", (socket: Socket) => this.count(socket));
    this.#sessions.track(server);
    onEveryRequest(server, (request, response) => {
      // One that was told of by an expectation may become a request after it.
      if (request.httpVersionMajor > 1 || numberOf(response) !== undefined) return;
      // Requests that were sent at once are all answered: the end is announced with the last of them.
      announceEnd(response, ++tallyOf(below(request.socket)).asked, this.#isLast);
      response.once("close", countAnswer);
    });
  }

  /** From now on this connection is counted and can be drained. Once is enough. */
  count(socket: Socket): void {
    if (this.#sockets.has(socket)) return;
    this.#sockets.set(socket, 0);
    this.#lastChange = performance.now();
    if (this.#begun !== null) this.#begun.connections++;
    socket.once("close", () => this.#forget(socket));
  }

  /** It leaves its socket, and is neither moved nor closed so far. */
  lift(socket: Socket): void {
    if (!this.#sockets.delete(socket)) return;
    this.#lifted++;
    if (this.#begun !== null) this.#begun.connections--;
  }

  /** One that this process has taken and does not read yet. It lands, as one that was lifted. */
  expect(): void {
    this.#lifted++;
  }

  /** One that was lifted: moved, or counted anew by whoever goes on with it here. */
  land(moved: boolean): void {
    this.#lifted--;
    this.#lastChange = performance.now();
    if (this.#begun !== null && moved) {
      this.#begun.connections++;
      this.#begun.moved++;
    }
    // What is taken back is counted right after this.
    queueMicrotask(() => this.#lookIfEmpty());
  }

  /**
   * Responses carry `Connection: close` from now on. Takes nothing away: {@link cancel} makes it undone.
   * `onEmpty` is called once, when no connection is left.
   */
  begin(spreadMs = 0, onEmpty: (report: DrainReport) => void = () => undefined): void {
    if (this.#begun !== null) return;
    const at = performance.now();
    this.#begun = { at, connections: this.#sockets.size, moved: 0, onEmpty };
    this.#sessions.begin(spreadMs);
    let index = 0;
    for (const socket of this.#sockets.keys()) {
      this.#sockets.set(socket, at + (spreadMs * index++) / this.#sockets.size);
    }
    this.#lookIfEmpty();
  }

  /** This process serves again: nothing is announced or destroyed any more. */
  cancel(): void {
    this.#begun = null;
    this.#sessions.cancel();
    for (const done of this.#waiting) done();
  }

  /** Waits until no connection is left, until the deadline, or until the drain is cancelled. */
  async finish(options: DrainOptions): Promise<DrainReport> {
    options.signal?.throwIfAborted();
    this.begin(options.spreadMs);
    const begun = this.#begun;
    await this.#untilEmpty(options);
    options.signal?.throwIfAborted();
    const left = [...this.#sockets.keys()];
    if (this.#begun !== begun) return report(begun, { left: left.length });
    const resetBusy = left.map(tallyOf).filter(({ asked, answered }) => asked > answered).length;
    for (const socket of left) socket.destroy();
    return report(begun, { reset: left.length, resetBusy });
  }

  async #untilEmpty({ deadlineMs, signal }: DrainOptions): Promise<void> {
    if (this.connections === 0) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(deadlineMs, LONGEST_MS));
      signal?.addEventListener("abort", done);
      this.#waiting.add(done);
    });
  }

  #forget(socket: Socket): void {
    if (!this.#sockets.delete(socket)) return;
    this.#lastChange = performance.now();
    this.#lookIfEmpty();
  }

  #lookIfEmpty(): void {
    if (this.connections > 0) return;
    for (const done of this.#waiting) done();
    const begun = this.#begun;
    if (begun === null) return;
    const { onEmpty } = begun;
    begun.onEmpty = () => undefined;
    onEmpty(report(begun, {}));
  }

  #isEnding(socket: Socket): boolean {
    if (this.#begun === null || this.#willMove(socket)) return false;
    return performance.now() >= (this.#sockets.get(socket) ?? 0);
  }
}

/** A request knows the encrypted socket only; what is counted and destroyed is the one below it. */
function below(socket: Socket): Socket {
  const parent: unknown = Reflect.get(socket, "_parent");
  return parent instanceof Socket ? parent : socket;
}

function tallyOf(socket: Socket): Tally {
  const known: unknown = Reflect.get(socket, TALLY);
  if (known !== undefined) return known as Tally;
  const tally: Tally = { asked: 0, answered: 0 };
  Reflect.set(socket, TALLY, tally);
  return tally;
}

function countAnswer(this: ServerResponse): void {
  tallyOf(below(this.req.socket)).answered++;
}

function report(begun: Begun | null, counts: { reset?: number; resetBusy?: number; left?: number }): DrainReport {
  const { reset = 0, resetBusy = 0, left = 0 } = counts;
  const { at, connections, moved } = begun ?? { at: performance.now(), connections: 0, moved: 0 };
  const closed = Math.max(0, connections - moved - reset - left);
  return { connections, moved, closed, reset, resetBusy, ms: Math.round(performance.now() - at) };
}
