// SPDX-License-Identifier: Apache-2.0
import { createConnection, type Socket } from "node:net";
import { Account } from "../accounting/account.ts";
import { now } from "./clock.ts";
import type { Traffic } from "./traffic.ts";

const UPGRADE = "GET /echo HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
const LINE_MS = 50;
const LAST_ANSWERS_MS = 10_000;

/** One upgraded connection: numbered lines that have to come back whole and in order. Connects anew when it is cut. */
class EchoClient {
  readonly #port: number;
  readonly #name: string;
  readonly #account: Account;
  #socket: Socket | null = null;
  #open = false;
  #text = "";
  #sent = 0;
  #due = 0;
  #waiting: { number: number; at: number }[] = [];

  constructor(port: number, name: string, account: Account) {
    this.#port = port;
    this.#name = name;
    this.#account = account;
  }

  get open(): boolean {
    return this.#open;
  }

  get unanswered(): number {
    return this.#waiting.length;
  }

  tick(at: number): void {
    if (at < this.#due) return;
    this.#due = Math.max(this.#due + LINE_MS, at);
    if (this.#socket === null) return this.#connect();
    if (!this.#open) return;
    const number = ++this.#sent;
    this.#account.attempts++;
    this.#waiting.push({ number, at });
    this.#socket.write(this.#line(number) + "\n", "latin1");
  }

  /** Lines that nobody answered until now are lost. */
  end(): void {
    const at = now();
    this.#account.error(at, "timeout", `${this.#name} has lines without an answer`, this.#waiting.length);
    this.#waiting = [];
    this.#socket?.removeAllListeners("close").destroy();
  }

  #line(number: number): string {
    return `${this.#name}-${number} ${"x".repeat(number % 40)}`;
  }

  #connect(): void {
    const socket = createConnection({ port: this.#port, host: "127.0.0.1", noDelay: true });
    socket.setEncoding("latin1");
    this.#socket = socket;
    this.#open = false;
    this.#text = "";
    socket.write(UPGRADE, "latin1");
    let why = "it was ended";
    socket.on("data", (chunk: string) => this.#read(chunk));
    socket.on("error", (error: NodeJS.ErrnoException) => (why = error.code ?? error.message));
    socket.on("close", () => this.#cut(why));
  }

  #read(chunk: string): void {
    this.#text += chunk;
    if (!this.#open) {
      const end = this.#text.indexOf("\r\n\r\n");
      if (end < 0) return;
      if (!this.#text.startsWith("HTTP/1.1 101")) {
        this.#account.error(now(), "status", this.#text.slice(0, 40));
        this.#socket?.destroy();
        return;
      }
      this.#text = this.#text.slice(end + 4);
      this.#open = true;
    }
    const lines = this.#text.split("\n");
    this.#text = lines.pop() ?? "";
    for (const line of lines) this.#check(line);
  }

  #check(line: string): void {
    const expected = this.#waiting.shift();
    const at = now();
    if (expected !== undefined && line === this.#line(expected.number)) this.#account.success(at, at - expected.at);
    else this.#account.error(at, "content", `"${line.slice(0, 40)}" instead of line ${expected?.number ?? "none"}`);
  }

  #cut(why: string): void {
    if (this.#open) this.#account.connectionClosed(false);
    else this.#account.error(now(), why === "ECONNREFUSED" ? "refused" : "reset", `not upgraded: ${why}`);
    this.#account.error(now(), "ended", `${this.#name}: ${why}`, this.#waiting.length);
    this.#waiting = [];
    this.#socket = null;
    this.#open = false;
  }
}

/** Each connection sends a line each 50 ms; they are spread over that time. */
export class Echo implements Traffic {
  readonly account = new Account();
  readonly #clients: EchoClient[];
  readonly #timer: NodeJS.Timeout;

  constructor(port: number, clients: number) {
    this.#clients = Array.from({ length: clients }, (_, index) => new EchoClient(port, `e${index}`, this.account));
    let next = 0;
    this.#timer = setInterval(() => {
      const at = now();
      // A fifth of them at a time: a tick of all at once would be a burst.
      const until = Math.min(this.#clients.length, next + Math.ceil(this.#clients.length / 5));
      for (; next < until; next++) this.#clients[next]?.tick(at);
      if (next === this.#clients.length) next = 0;
    }, LINE_MS / 10);
  }

  get warm(): boolean {
    return this.#clients.every((client) => client.open);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const unanswered = (): number => this.#clients.reduce((sum, client) => sum + client.unanswered, 0);
    for (const end = now() + LAST_ANSWERS_MS; unanswered() > 0 && now() < end;) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const client of this.#clients) client.end();
  }
}
