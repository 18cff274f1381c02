// SPDX-License-Identifier: Apache-2.0
import { Server as HttpServer } from "node:http";
import type { Server } from "node:net";
import { onEveryRequest } from "./alongside.ts";
import type { ConnectionOptions, Connections } from "./declared-connections.ts";
import { DeclaredConnections } from "./declared-connections.ts";
import type { DrainReport } from "./drain.ts";
import { Drain } from "./drain.ts";
import { HandoffError } from "./errors.ts";
import { HttpConnections } from "./http-connections.ts";
import { Movables } from "./movables.ts";
import { Mover } from "./mover.ts";
import type { Identity } from "./new-side.ts";
import type { Timeouts } from "./protocol/limits.ts";
import { Receivers } from "./receivers.ts";

export interface MigrationHost {
  /** This process owns for good, accepts, and was not told to stop. */
  isServing(): boolean;
  /** The application could not go on with a connection that came; it was closed. */
  failed(key: string, error: unknown): void;
}

/** What becomes of connections: those that can move go to whoever owns, the others are drained. */
export class Migration {
  readonly drain: Drain;
  readonly mover: Mover;
  readonly receivers: Receivers;
  readonly #movables: Movables;
  /** Of which listener each server is. */
  readonly #servers = new Map<Server, string>();
  readonly #watched = new WeakSet<Server>();

  constructor(identity: Identity, times: Timeouts, host: MigrationHost) {
    this.#movables = new Movables({
      lift: (socket) => this.drain.lift(socket),
      expect: () => this.drain.expect(),
      land: (moved) => this.drain.land(moved),
      failed: (key, error) => host.failed(key, error),
    });
    this.mover = new Mover(identity, times, this.#movables);
    this.receivers = new Receivers(identity, this.#movables, () => host.isServing());
    this.drain = new Drain((socket) => this.mover.takes(socket));
  }

  /**
   * The connections of this server are drained; those of a plain HTTP server move between two requests.
   *
   * @throws HandoffError HOT4014: a server of Node listens on one socket.
   */
  track(key: string, server: Server): void {
    const other = this.#servers.get(server);
    if (other !== undefined) {
      throw new HandoffError("HOT4014", `the server is attached to listener ${other}`, { phase: "listen" });
    }
    this.#servers.set(server, key);
    if (!this.#watched.has(server)) this.#watch(server);
    // Beyond that their connections are drained.
    if (!(server instanceof HttpServer) || this.#movables.full) return;
    this.#movables.add(new HttpConnections(`http/${key}`, server));
  }

  /** Once: it may be attached to one listener after the other. */
  #watch(server: Server): void {
    this.#watched.add(server);
    this.drain.track(server);
    server.prependListener("connection", () => this.receivers.came());
    if (!(server instanceof HttpServer)) return;
    // One function for all: what each response would keep alive costs the collection of garbage.
    const wake = (): void => this.mover.wake();
    onEveryRequest(server, (_request, response) => void response.once("close", wake));
  }

  declare<M>(key: string, options: ConnectionOptions<M>): Connections {
    const host = { count: this.drain.count.bind(this.drain), wake: this.mover.wake.bind(this.mover) };
    const declared = new DeclaredConnections(`own/${key}`, options, host);
    this.#movables.add(declared);
    return declared;
  }

  /** The listener was closed on purpose. */
  untrack(key: string): void {
    for (const [server, of] of this.#servers) if (of === key) this.#servers.delete(server);
    this.#movables.remove(`http/${key}`);
  }

  /**
   * Drains without a deadline, and passes on what can move: it ends with the last connection or with {@link stop}.
   * `successor`: another process owns because of this one.
   */
  begin(successor: boolean, onEmpty?: (report: DrainReport) => void): void {
    this.drain.begin(0, onEmpty);
    this.mover.start(successor);
  }

  /** This process owns again. */
  stop(): void {
    this.mover.stop();
    this.drain.cancel();
  }

  close(): void {
    this.mover.close();
    this.receivers.close();
  }
}
