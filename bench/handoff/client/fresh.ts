// SPDX-License-Identifier: Apache-2.0
import { Account } from "../accounting/account.ts";
import { now } from "./clock.ts";
import { type Failure, HttpConnection } from "./http-connection.ts";
import type { Traffic } from "./traffic.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";
/** More at once would only wait for each other, in the end for too long; what is not begun because of it is counted. */
const MOST_AT_ONCE = 128;
/** After a stall of the client itself so much of what was due is made up for. */
const BURST_SECONDS = 0.05;

/** So many new connections each second, whether the ones before are answered or not. */
export class Fresh implements Traffic {
  readonly account = new Account();
  readonly warm = true;
  readonly #port: number;
  readonly #perMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #begun = now();
  #last = now();
  #due = 0;
  #open = 0;
  #held = 0;
  #stopped: (() => void) | null = null;

  constructor(port: number, perSecond: number) {
    this.#port = port;
    this.#perMs = perSecond / 1000;
    this.#timer = setInterval(() => this.#tick(), 1);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const seconds = (now() - this.#begun) / 1000;
    Object.assign(this.account.extra, {
      offeredPerSecond: this.#perMs * 1000,
      reachedPerSecond: this.account.attempts / seconds,
      heldBack: this.#held,
    });
    if (this.#open > 0) await new Promise<void>((resolve) => (this.#stopped = resolve));
  }

  #tick(): void {
    const at = now();
    this.#due += (at - this.#last) * this.#perMs;
    this.#last = at;
    const most = Math.max(1, this.#perMs * 1000 * BURST_SECONDS);
    if (this.#due > most) {
      this.#held += Math.floor(this.#due - most);
      this.#due = most;
    }
    for (; this.#due >= 1; this.#due--) {
      if (this.#open < MOST_AT_ONCE) void this.#visit();
      else this.#held++;
    }
  }

  async #visit(): Promise<void> {
    this.#open++;
    this.account.attempts++;
    const start = now();
    const connection = new HttpConnection(this.#port);
    try {
      const { body, generation } = await connection.exchange(REQUEST);
      const end = now();
      if (body === "hello\n") this.account.success(end, end - start, generation);
      else this.account.error(end, "content", body.slice(0, 40));
    } catch (error) {
      const { kind, message } = error as Failure;
      this.account.error(now(), kind, message);
    }
    connection.destroy();
    this.#open--;
    if (this.#open === 0) this.#stopped?.();
  }
}
