// SPDX-License-Identifier: Apache-2.0
import { createSocket } from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";
import { Account } from "../accounting/account.ts";
import { now } from "./clock.ts";
import type { Traffic } from "./traffic.ts";

/** So many without an answer at most: what a socket buffer of the default size holds, however slow the machine is. */
const WINDOW = 200;

/** Numbered datagrams that have to come back once each. */
export class Datagrams implements Traffic {
  readonly account = new Account();
  readonly #port: number;
  readonly #perMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #socket = createSocket("udp4");
  readonly #waiting = new Map<number, number>();
  readonly #begun = now();
  #last = now();
  #due = 0;

  constructor(port: number, perSecond: number) {
    this.#port = port;
    this.#perMs = perSecond / 1000;
    this.#socket.on("message", (message) => this.#answered(message.toString("latin1")));
    this.#timer = setInterval(() => this.#tick(), 1);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.account.extra["reachedPerSecond"] = this.account.attempts / ((now() - this.#begun) / 1000);
    for (let left = -1; left !== this.#waiting.size; await sleep(500)) left = this.#waiting.size;
    this.account.error(now(), "timeout", "datagrams without an answer", this.#waiting.size);
    this.#socket.close();
  }

  #tick(): void {
    const at = now();
    this.#due = Math.min(WINDOW, this.#due + (at - this.#last) * this.#perMs);
    this.#last = at;
    for (; this.#due >= 1 && this.#waiting.size < WINDOW; this.#due--) {
      const number = ++this.account.attempts;
      this.#waiting.set(number, at);
      this.#socket.send(String(number), this.#port, "127.0.0.1");
    }
  }

  /** `NUMBER GENERATION` */
  #answered(text: string): void {
    const space = text.indexOf(" ");
    const number = Number(text.slice(0, space));
    const sent = this.#waiting.get(number);
    const at = now();
    if (sent === undefined) return this.account.error(at, "content", `a second answer, or none asked for: ${text}`);
    this.#waiting.delete(number);
    this.account.success(at, at - sent, text.slice(space + 1));
  }
}
