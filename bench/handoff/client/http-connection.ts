// SPDX-License-Identifier: Apache-2.0
import { createConnection, type Socket } from "node:net";
import type { ErrorKind } from "../accounting/account.ts";

export interface Answer {
  readonly body: string;
  /** Which process answered: header `x-generation`. */
  readonly generation: string;
  /** The server said `Connection: close`. */
  readonly last: boolean;
}

export class Failure extends Error {
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, words: string) {
    super(words);
    this.kind = kind;
  }
}

/** What a starved machine answers late is late, and told as latency; what is lost never comes. */
const TIMEOUT_MS = 30_000;

/**
 * One connection, one request at a time, and every way in which an exchange can fail told apart. Node's own http client
 * would try a request again when a kept connection turns out to be closed.
 */
export class HttpConnection {
  readonly #socket: Socket;
  #text = "";
  #waiting: { resolve: (answer: Answer) => void; reject: (failure: Failure) => void; timer: NodeJS.Timeout } | null =
    null;
  #ended: Failure | null = null;
  /** Called when the server ends the connection and nobody waits for an answer. */
  onIdleEnd: () => void = () => undefined;

  constructor(port: number) {
    this.#socket = createConnection({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (chunk: string) => {
      this.#text += chunk;
      this.#look();
    });
    this.#socket.on("error", (error: NodeJS.ErrnoException) => this.#end(kindOf(error), error.code ?? error.message));
    this.#socket.on("close", () => this.#end("ended", "the connection was ended"));
  }

  get ended(): boolean {
    return this.#ended !== null;
  }

  async exchange(request: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== null) return reject(this.#ended);
      const timer = setTimeout(() => this.#end("timeout", `no answer in ${TIMEOUT_MS / 1000} s`), TIMEOUT_MS);
      this.#waiting = { resolve, reject, timer };
      this.#text = "";
      this.#socket.write(request, "latin1");
    });
  }

  destroy(): void {
    this.onIdleEnd = () => undefined;
    this.#ended ??= new Failure("client", "destroyed");
    this.#socket.destroy();
  }

  #look(): void {
    const waiting = this.#waiting;
    const headEnd = this.#text.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    if (waiting === null) return this.#end("content", `an answer without a request: ${this.#text.slice(0, 60)}`);
    const head = this.#text.slice(0, headEnd).toLowerCase();
    const length = Number(/\r\ncontent-length: *(\d+)/.exec(head)?.[1] ?? Number.NaN);
    if (!head.startsWith("http/1.1 200")) return this.#end("status", head.slice(0, 60));
    if (Number.isNaN(length)) return this.#end("content", "no length");
    const body = this.#text.slice(headEnd + 4);
    if (body.length < length) return;
    if (body.length > length) return this.#end("content", "more than one answer");
    this.#waiting = null;
    clearTimeout(waiting.timer);
    const generation = /\r\nx-generation: *([^\r]+)/.exec(head)?.[1] ?? "";
    waiting.resolve({ body, generation, last: /\r\nconnection: *close/.test(head) });
  }

  #end(kind: ErrorKind, words: string): void {
    if (this.#ended !== null) return;
    this.#ended = new Failure(kind, words);
    this.#socket.destroy();
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) return this.onIdleEnd();
    clearTimeout(waiting.timer);
    waiting.reject(new Failure(kind, `${words}, ${this.#text.length} bytes had come`));
  }
}

const KINDS: Readonly<Record<string, ErrorKind>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  EPIPE: "reset",
  ETIMEDOUT: "timeout",
};

function kindOf({ code = "" }: NodeJS.ErrnoException): ErrorKind {
  return KINDS[code] ?? "client";
}
