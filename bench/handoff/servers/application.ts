// SPDX-License-Identifier: Apache-2.0
// What every server of this bench does, so that only the restart differs.
import type { RequestListener } from "node:http";
import type { Socket } from "node:net";

const PARTS = 60;
const PART_MS = 50;
const SWITCHING = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

/** GET: hello. POST: the same body. GET /slow: 60 numbered parts in 3 s. */
export function application(generation: string): RequestListener {
  return (request, response) => {
    response.setHeader("x-generation", generation);
    if (request.url === "/slow") {
      response.setHeader("content-length", PARTS * 8);
      let part = 0;
      const timer = setInterval(() => {
        response.write(`part ${String(part++).padStart(2, "0")}\n`);
        if (part < PARTS) return;
        clearInterval(timer);
        response.end();
      }, PART_MS);
      response.once("close", () => clearInterval(timer));
    } else if (request.method === "GET") {
      response.end("hello\n");
    } else {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => response.end(Buffer.concat(chunks)));
    }
  };
}

/** Connections upgraded to lines, each of which comes back as it is. */
export class EchoLines {
  readonly #partial = new Map<Socket, string>();

  /** Of `server.on("upgrade")`. */
  upgrade(socket: Socket, head: Buffer): void {
    socket.write(SWITCHING);
    if (head.length > 0) socket.unshift(head);
    this.serve(socket);
  }

  serve(socket: Socket): void {
    this.#partial.set(socket, "");
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      const text = (this.#partial.get(socket) ?? "") + chunk.toString("latin1");
      const end = text.lastIndexOf("\n") + 1;
      this.#partial.set(socket, text.slice(end));
      if (end > 0) socket.write(text.slice(0, end), "latin1");
    });
    socket.on("error", () => undefined);
    socket.on("end", () => socket.end());
    socket.on("close", () => this.#partial.delete(socket));
  }

  /** The begin of a line that has come so far. */
  partial(socket: Socket): Buffer {
    return Buffer.from(this.#partial.get(socket) ?? "", "latin1");
  }

  /** Cuts those that are left. */
  destroy(): void {
    for (const socket of this.#partial.keys()) socket.destroy();
  }
}
