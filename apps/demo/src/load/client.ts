// SPDX-License-Identifier: Apache-2.0
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Kind, Tally } from "./tally.ts";

export interface Target {
  pod: string;
  host: string;
  port: number;
}

export interface Exchange {
  method: "GET" | "POST";
  path: string;
  body?: Buffer;
  /** Says what is wrong with an answer, or nothing. */
  check(body: Buffer, answer: IncomingMessage): string | undefined;
}

/**
 * One client with at most one connection. It never retries: whatever goes wrong is counted, and so is a connection that
 * the server ends without having said `Connection: close`.
 */
export class Client {
  readonly #agent: Agent;
  readonly #target: Target;
  readonly #kind: Kind;
  readonly #tally: Tally;
  readonly #announced = new WeakSet<Socket>();
  readonly #watched = new WeakSet<Socket>();
  #closing = false;

  constructor(target: Target, kind: Kind, tally: Tally) {
    this.#target = target;
    this.#kind = kind;
    this.#tally = tally;
    this.#agent = new Agent({ keepAlive: kind !== "newConnection", maxSockets: 1, maxFreeSockets: 1 });
  }

  /** Sends one request and counts its outcome; resolves in every case. */
  exchange(exchange: Exchange): Promise<void> {
    this.#tally.request(this.#kind);
    return new Promise((resolve) => {
      let socket: Socket | undefined;
      const fail = (sentence: string): void => {
        if (!this.#closing) this.#tally.failure(this.#kind, this.#target.pod, sentence);
        if (socket) this.#announced.add(socket); // one fault is counted once
        resolve();
      };
      const { host, port } = this.#target;
      const request = httpRequest({ host, port, agent: this.#agent, method: exchange.method, path: exchange.path });
      request.on("socket", (used) => {
        socket = used;
        this.#watch(used);
      });
      request.on("error", (error: NodeJS.ErrnoException) => fail(`${error.code ?? "error"}: ${error.message}`));
      request.on("response", (answer) => {
        if (socket && /close/i.test(answer.headers.connection ?? "")) this.#announced.add(socket);
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", (error) => fail(`answer cut: ${error.message}`));
        answer.on("end", () => {
          const wrong = exchange.check(Buffer.concat(chunks), answer);
          if (answer.statusCode !== 200) fail(`status ${answer.statusCode}`);
          else if (wrong !== undefined) fail(wrong);
          else {
            const sidecar = ["x-sidecar-version", "x-sidecar-container"].map((name) =>
              String(answer.headers[name] ?? "?"),
            );
            this.#tally.answer(this.#kind, this.#target.pod, sidecar.join("/"), performance.now());
            resolve();
          }
        });
      });
      request.end(exchange.body);
    });
  }

  close(): void {
    this.#closing = true;
    this.#agent.destroy();
  }

  #watch(socket: Socket): void {
    if (this.#kind === "newConnection" || this.#watched.has(socket)) return;
    this.#watched.add(socket);
    let cause = "closed without an announcement";
    socket.on("error", (error: NodeJS.ErrnoException) => (cause = error.code ?? error.message));
    socket.on("close", () => {
      if (!this.#closing && !this.#announced.has(socket)) {
        this.#tally.lostConnection(this.#kind, this.#target.pod, cause);
      }
    });
  }
}
