// SPDX-License-Identifier: Apache-2.0
import { createSocket } from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";
import { Account } from "../accounting/account.ts";
import { now } from "./clock.ts";
import type { Traffic } from "./traffic.ts";

/** So many without an answer at most: what a socket buffer of the default size holds, however slow the machine is. */
const WINDOW = 200;

/** Far more than WINDOW answers need, of which the kernel counts a small one as a kilobyte and more. */
const RECEIVE_BYTES = 4 * 1024 * 1024;
/** So long without any answer, when no more are sent, and the rest is lost. */
const LAST_ANSWERS_MS = 5_000;

/** Numbered datagrams that have to come back once each. */
export class Datagrams implements Traffic {
  readonly account = new Account();
  readonly warm = true;
  readonly #port: number;
  readonly #perMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #socket = createSocket({ type: "udp4", recvBufferSize: RECEIVE_BYTES });
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
    for (let since = now(), left = this.#waiting.size; left > 0 && now() - since < LAST_ANSWERS_MS; await sleep(20)) {
      if (this.#waiting.size === left) continue;
      left = this.#waiting.size;
      since = now();
    }
    const lost = [...this.#waiting].map(([number, at]) => `${number} of ${at.toFixed(0)}`).join(", ");
    this.account.error(now(), "timeout", `without an answer: ${lost}`, this.#waiting.size);
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
