// SPDX-License-Identifier: Apache-2.0
import { connect, type TLSSocket } from "node:tls";
import { identity } from "../../../packages/fd-transfer/test/fixtures/tls-identity.ts";
import { Account } from "../accounting/account.ts";
import { now } from "./clock.ts";
import type { Traffic } from "./traffic.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const MOST_AT_ONCE = 20;

/** TLS connections that each offer a session they got earlier. How many of the offers are taken is what counts. */
export class Sessions implements Traffic {
  readonly account = new Account();
  readonly warm = true;
  readonly #port: number;
  readonly #timer: NodeJS.Timeout;
  #session: Buffer | null = null;
  #open = 0;
  #stopped: (() => void) | null = null;

  constructor(port: number, perSecond: number) {
    this.#port = port;
    Object.assign(this.account.extra, { offered: 0, resumed: 0 });
    this.#timer = setInterval(() => {
      if (this.#open < MOST_AT_ONCE) this.#visit();
    }, 1000 / perSecond);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#open > 0) await new Promise<void>((resolve) => (this.#stopped = resolve));
  }

  #visit(): void {
    this.#open++;
    this.account.attempts++;
    const start = now();
    const session = this.#session;
    const socket: TLSSocket = connect({
      port: this.#port,
      host: "127.0.0.1",
      servername: "localhost",
      ca: identity.cert,
      ...(session === null ? {} : { session }),
    });
    let text = "";
    let why = "the connection was ended";
    socket.setTimeout(30_000, () => socket.destroy(new Error("no answer in 30 s")));
    socket.on("session", (ticket: Buffer) => (this.#session = ticket));
    socket.once("secureConnect", () => {
      if (session !== null) this.#count(socket.isSessionReused());
      socket.write(REQUEST);
    });
    socket.on("data", (chunk) => (text += String(chunk)));
    socket.on("error", (error: NodeJS.ErrnoException) => (why = error.code ?? error.message));
    socket.on("close", () => {
      const end = now();
      const generation = /\r\nx-generation: *([^\r]+)/.exec(text)?.[1] ?? "";
      if (text.endsWith("\r\n\r\nhello\n")) this.account.success(end, end - start, generation);
      else this.account.error(end, why === "ECONNREFUSED" ? "refused" : "reset", why);
      this.#open--;
      if (this.#open === 0) this.#stopped?.();
    });
  }

  #count(resumed: boolean): void {
    const { extra } = this.account;
    extra["offered"] = (extra["offered"] ?? 0) + 1;
    if (resumed) extra["resumed"] = (extra["resumed"] ?? 0) + 1;
  }
}
