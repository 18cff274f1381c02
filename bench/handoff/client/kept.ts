// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";
import { Account } from "../accounting/account.ts";
import { now } from "./clock.ts";
import { type Failure, HttpConnection } from "./http-connection.ts";
import type { Traffic } from "./traffic.ts";

export interface Visits {
  /** What the request number `count` of a client is, and what has to come back. */
  ask(client: number, count: number): { request: string; expected: string };
  readonly thinkMs: number;
  /** The connection is used for one request only. */
  readonly once?: boolean;
}

/**
 * Clients that keep one connection each and ask again and again, with a pause. When the server ends a connection between
 * two requests, the next one goes over a new connection: that is a closed connection, and no error. A request that has
 * been sent and is not answered is an error, and is not sent again.
 */
export class Kept implements Traffic {
  readonly account = new Account();
  readonly #port: number;
  readonly #visits: Visits;
  readonly #clients: Promise<void>[];
  readonly #end = new AbortController();
  #cold: number;

  constructor(port: number, clients: number, visits: Visits) {
    this.#port = port;
    this.#visits = visits;
    this.#cold = visits.once === true ? 0 : clients;
    this.#clients = Array.from({ length: clients }, async (_, index) => this.#client(index, clients));
  }

  get warm(): boolean {
    return this.#cold === 0;
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#clients);
  }

  async #client(client: number, clients: number): Promise<void> {
    const { thinkMs, once = false } = this.#visits;
    let connection: HttpConnection | null = null;
    // Not all in one moment.
    await this.#pause((thinkMs * client) / clients);
    for (let count = 0; !this.#end.signal.aborted; count++) {
      if (connection === null || connection.ended) connection = this.#connect(once);
      const last = await this.#visit(connection, this.#visits.ask(client, count));
      if (count === 0 && !once) this.#cold--;
      if (last || once) {
        if (last && !once) this.account.connectionClosed(true);
        connection.destroy();
        connection = null;
      }
      await this.#pause(thinkMs);
    }
    connection?.destroy();
  }

  #connect(once: boolean): HttpConnection {
    const connection = new HttpConnection(this.#port);
    if (!once) connection.onIdleEnd = () => this.account.connectionClosed(false);
    return connection;
  }

  /** Resolves to whether the server announced the end of the connection. */
  async #visit(connection: HttpConnection, { request, expected }: ReturnType<Visits["ask"]>): Promise<boolean> {
    this.account.attempts++;
    const start = now();
    try {
      const { body, generation, last } = await connection.exchange(request);
      const end = now();
      if (body === expected) this.account.success(end, end - start, generation);
      else this.account.error(end, "content", `${body.slice(0, 40)} instead of ${expected.slice(0, 40)}`);
      return last;
    } catch (error) {
      const { kind, message } = error as Failure;
      this.account.error(now(), kind, message);
      if (kind === "reset" || kind === "ended") this.account.connectionClosed(false);
      return false;
    }
  }

  async #pause(ms: number): Promise<void> {
    if (ms > 0) await sleep(ms, undefined, { signal: this.#end.signal }).catch(() => undefined);
  }
}
