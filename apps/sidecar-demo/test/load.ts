// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

export interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

export async function send(port: number, path: string, body?: Buffer, agent: Agent | false = false): Promise<Answer> {
  const request = httpRequest({ host: "127.0.0.1", port, path, method: body ? "POST" : "GET", agent });
  request.end(body);
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) };
}

/** The lines of `GET /slow` for that many seconds, as the application counts them. */
export function slowLines(seconds: number): string {
  return Array.from({ length: seconds * 10 }, (_, line) => `${line} of a slow answer\n`).join("");
}

/**
 * Keep-alive POSTs with think time, GETs with a new connection each, slow streams. Checks every byte, never retries, and
 * counts a connection that ends without `Connection: close` announced before.
 */
export class Load {
  readonly failures: string[] = [];
  readonly byVersion: Record<string, number> = {};
  requests = 0;
  readonly #port: number;
  readonly #clients: Promise<void>[] = [];
  #running = true;

  constructor(port: number) {
    this.#port = port;
    for (let client = 0; client < 6; client += 1) this.#clients.push(this.#keepAlive());
    for (let client = 0; client < 2; client += 1)
      this.#clients.push(this.#repeat(async () => this.#get("/", '"answered":true')));
    for (let client = 0; client < 2; client += 1) {
      this.#clients.push(this.#repeat(async () => this.#get("/slow?seconds=1", slowLines(1))));
    }
  }

  /** Resolves when this version has answered this many more requests. */
  async answeredBy(version: string, more: number): Promise<void> {
    const goal = (this.byVersion[version] ?? 0) + more;
    while ((this.byVersion[version] ?? 0) < goal) await delay(10);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#clients);
  }

  async #keepAlive(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const announced = new WeakSet<Socket>();
    const watched = new WeakSet<Socket>();
    agent.on("free", (socket: Socket) => {
      if (watched.has(socket)) return;
      watched.add(socket);
      socket.once("close", () => {
        if (this.#running && !announced.has(socket)) this.failures.push("a kept connection was closed unannounced");
      });
    });
    await this.#repeat(async () => {
      const body = randomBytes(700);
      const request = httpRequest({ host: "127.0.0.1", port: this.#port, path: "/echo", method: "POST", agent });
      request.once("response", ({ headers, socket }) => {
        if (headers.connection === "close") announced.add(socket);
      });
      request.end(body);
      const [answer] = (await once(request, "response")) as [IncomingMessage];
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      const hash = createHash("sha256").update(body).digest("hex");
      const right = Buffer.concat(chunks).equals(body) && answer.headers["x-body-sha256"] === hash;
      this.#count(right, answer.statusCode ?? 0, answer.headers);
    });
    agent.destroy();
  }

  async #get(path: string, part: string): Promise<void> {
    const { status, headers, body } = await send(this.#port, path);
    this.#count(body.includes(part), status, headers);
  }

  #count(right: boolean, status: number, headers: IncomingMessage["headers"]): void {
    const version = String(headers["x-sidecar-version"]);
    if (status !== 200 || !right) this.failures.push(`status ${status} from ${version}, right: ${right}`);
    this.byVersion[version] = (this.byVersion[version] ?? 0) + 1;
  }

  async #repeat(exchange: () => Promise<void>): Promise<void> {
    while (this.#running) {
      this.requests += 1;
      await exchange().catch((error: unknown) => this.failures.push(String(error)));
      await delay(5 + Math.random() * 15);
    }
  }
}
