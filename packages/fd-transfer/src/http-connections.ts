// SPDX-License-Identifier: Apache-2.0
import type { Server } from "node:http";
import { Socket } from "node:net";
import type { ConnectionKind, Luggage, PackedConnection } from "./movable.ts";

/** Node's own list of connections, by what their parser is doing. */
interface ConnectionsList {
  idle(): { readonly socket?: Socket | null }[];
}

/** The part of Node's parser that is needed to tell it that a request has ended. */
interface RequestParser {
  onIncoming: unknown;
  execute(bytes: Buffer): unknown;
}

const NOTHING: Luggage = { meta: new Uint8Array(), unread: new Uint8Array() };
const FINISHED_REQUEST = Buffer.from("GET / HTTP/1.1\r\n\r\n");

/**
 * The keep-alive connections of one HTTP/1.1 server. Between two requests there is nothing to be known about them, so
 * the server of the next process goes on with the descriptor alone.
 */
export class HttpConnections implements ConnectionKind {
  readonly key: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Adopted, and without a request so far. */
  readonly #adopted = new WeakSet<Socket>();

  constructor(key: string, server: Server) {
    this.key = key;
    this.#server = server;
    server.prependListener("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.prependListener("request", ({ socket }: { readonly socket: Socket }) => {
      if (this.#adopted.delete(socket)) socket.setTimeout(server.timeout);
    });
    // From now on it belongs to whoever handles the upgrade.
    for (const event of ["upgrade", "connect"]) {
      server.prependListener(event, (_request: unknown, socket: Socket) => this.#sockets.delete(socket));
    }
  }

  has(socket: Socket): boolean {
    return this.#sockets.has(socket);
  }

  candidates(): Iterable<Socket> {
    const list = connectionsOf(this.#server);
    if (list === null) return [];
    const idle = new Set(list.idle().map((parser) => parser.socket));
    // One that has not sent a byte yet counts as active there.
    return [...this.#sockets].filter((socket) => idle.has(socket) || socket.bytesRead === 0);
  }

  /** Node's list says idle while an answer is still being written, or a second request waits for its turn. */
  pack(socket: Socket): Luggage | null {
    const answering: unknown = Reflect.get(socket, "_httpMessage");
    return (answering === null || answering === undefined) && socket.readableLength === 0 ? NOTHING : null;
  }

  adopt({ fd }: PackedConnection): void {
    const socket = new Socket({ fd: fd.release(), allowHalfOpen: true, readable: true, writable: true });
    const server = this.#server;
    server.emit("connection", socket);
    finishRequest(socket);
    if (server.keepAliveTimeout <= 0) return;
    // As Node does after an answer; it ends with the next request.
    socket.setTimeout(server.keepAliveTimeout + server.keepAliveTimeoutBuffer);
    this.#adopted.add(socket);
  }
}

function connectionsOf(server: Server): ConnectionsList | null {
  for (const symbol of Object.getOwnPropertySymbols(server)) {
    const value: unknown = Reflect.get(server, symbol);
    if (typeof value === "object" && value !== null && "idle" in value && typeof value.idle === "function") {
      return value as ConnectionsList;
    }
  }
  return null;
}

/**
 * A new connection has to send its first request in time, or is answered with 408. This one has been served before, so
 * its parser is told of a request that has ended: then it is idle, also for closeIdleConnections().
 */
function finishRequest(socket: Socket): void {
  const parser: unknown = Reflect.get(socket, "parser");
  if (typeof parser !== "object" || parser === null || !("onIncoming" in parser) || !("execute" in parser)) return;
  const known = parser as RequestParser;
  const { onIncoming } = known;
  known.onIncoming = () => 0;
  known.execute(FINISHED_REQUEST);
  known.onIncoming = onIncoming;
}
