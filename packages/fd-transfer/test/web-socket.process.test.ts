// SPDX-License-Identifier: Apache-2.0
// WebSockets move in mid-stream: frames in halves, masks and pings included.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createConnection } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Scene } from "./fixtures/fixture-process.ts";
import { acceptOf, decode, encode, PING, PONG, TEXT } from "./fixtures/web-socket.ts";

class Client {
  readonly wrong: string[] = [];
  readonly versions = new Set<string>();
  sent = 0;
  answered = 0;
  pings = 0;
  pongs = 0;
  #rest: Buffer = Buffer.alloc(0);
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.wrong.push(String(error)));
    socket.on("end", () => this.wrong.push(`closed after ${this.answered} answers`));
  }

  static async open(port: number): Promise<Client> {
    const socket = createConnection({ port, host: "127.0.0.1", noDelay: true });
    const key = randomBytes(16).toString("base64");
    const lines = ["GET /chat HTTP/1.1", "Host: a", "Upgrade: websocket", "Connection: Upgrade"];
    socket.write(`${[...lines, `Sec-WebSocket-Key: ${key}`, "Sec-WebSocket-Version: 13"].join("\r\n")}\r\n\r\n`);
    const [head] = (await once(socket, "data")) as [Buffer];
    expect(String(head)).toContain(`Sec-WebSocket-Accept: ${acceptOf(key)}\r\n\r\n`);
    return new Client(socket);
  }

  /** Frames of all sizes, often cut in the head, the mask or the payload, with a ping now and then. */
  async run(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      const payload = Buffer.from(`${++this.sent} ${"x".repeat((this.sent * 37) % 700)}`);
      const frame = encode({ opcode: TEXT, payload }, randomBytes(4));
      const ping = this.sent % 5 === 0 ? encode({ opcode: PING, payload: Buffer.from("p") }, randomBytes(4)) : null;
      const bytes = ping === null ? frame : Buffer.concat([frame, ping]);
      if (ping !== null) this.pings++;
      const cut = this.sent % bytes.byteLength;
      this.#socket.write(bytes.subarray(0, cut));
      await sleep(3);
      this.#socket.write(bytes.subarray(cut));
      await sleep(5);
    }
    for (const end = Date.now() + 20_000; this.answered < this.sent || this.pongs < this.pings; await sleep(10)) {
      if (Date.now() > end || this.wrong.length > 0) break;
    }
  }

  destroy(): void {
    this.#socket.removeAllListeners("end").destroy();
  }

  #read(chunk: Buffer): void {
    const { frames, rest } = decode(Buffer.concat([this.#rest, chunk]));
    this.#rest = rest;
    for (const { opcode, payload } of frames) {
      if (opcode === PONG) this.pongs++;
      if (opcode !== TEXT) continue;
      const [version = "", count, number, text = ""] = String(payload).split(" ");
      this.answered++;
      this.versions.add(version);
      const right = count === number && number === String(this.answered) && text.length === (this.answered * 37) % 700;
      if (!right) this.wrong.push(`answer ${this.answered} is "${String(payload).slice(0, 60)}"`);
    }
  }
}

test("50 WebSockets that talk all the time go through three upgrades: every frame is answered, once, in order", async () => {
  await using scene = await Scene.open();
  let before = scene.start("v1", {}, "sockets.ts");
  await before.says("ready");
  const clients = await Promise.all(Array.from({ length: 50 }, async () => Client.open(scene.port)));
  const over = new AbortController();
  const running = clients.map(async (client) => client.run(over.signal));
  for (const version of ["v2", "v3", "v4"]) {
    const next = scene.start(version, {}, "sockets.ts");
    await next.says("ready");
    expect((await before.says("drained"))["args"]).toMatchObject([{ connections: 50, moved: 50, closed: 0, reset: 0 }]);
    before.kill("SIGTERM");
    await before.exited;
    while (!clients.every(({ versions, wrong }) => versions.has(version) || wrong.length > 0)) await sleep(10);
    before = next;
  }
  over.abort();
  await Promise.all(running);
  expect(clients.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(clients.map(({ answered, pongs }) => [answered, pongs])).toEqual(
    clients.map(({ sent, pings }) => [sent, pings]),
  );
  for (const client of clients) client.destroy();
});
