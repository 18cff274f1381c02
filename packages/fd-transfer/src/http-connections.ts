// SPDX-License-Identifier: Apache-2.0
import type { Server } from "node:http";
import { Socket } from "node:net";
import { onEveryRequest } from "./alongside.ts";
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
/** Not a byte has come from the client so far. */
const UNUSED: Luggage = { ...NOTHING, meta: new Uint8Array(1) };
/** In milliseconds. Node has it as a setting since 24.6. */
const KEEP_ALIVE_BUFFER = 1_000;
const FINISHED_REQUEST = Buffer.from("GET / HTTP/1.1\r\n\r\n");

/**
 * The keep-alive connections of one HTTP/1.1 server. Between two requests there is nothing to be known about them, so
 * the server of the next process goes on with the descriptor alone.
 */
export class HttpConnections implements ConnectionKind {
  readonly key: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Adopted after an answer, and without a request so far. */
  readonly #adopted = new WeakSet<Socket>();

  constructor(key: string, server: Server) {
    this.key = key;
    this.#server = server;
    server.prependListener("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    onEveryRequest(server, ({ socket }) => {
      if (this.#adopted.delete(socket)) socket.setTimeout(server.timeout);
    });
  }

  /** An upgraded one has no parser any more: it belongs to whoever handles the upgrade. */
  has(socket: Socket): boolean {
    return this.#sockets.has(socket) && parserOf(socket) !== null;
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
    if ((answering !== null && answering !== undefined) || socket.readableLength > 0) return null;
    return socket.bytesRead === 0 && !this.#adopted.has(socket) ? UNUSED : NOTHING;
  }

  adopt({ fd, meta }: PackedConnection): void {
    const socket = new Socket({ fd: fd.release(), allowHalfOpen: true, readable: true, writable: true });
    const server = this.#server;
    server.emit("connection", socket);
    // It has the time of a new one for its first request.
    if (meta.length > 0) return;
    finishRequest(socket);
    this.#adopted.add(socket);
    const buffer = (server.keepAliveTimeoutBuffer as number | undefined) ?? KEEP_ALIVE_BUFFER;
    // As Node does after an answer; it ends with the next request.
    if (server.keepAliveTimeout > 0) socket.setTimeout(server.keepAliveTimeout + buffer);
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

function parserOf(socket: Socket): object | null {
  const parser: unknown = Reflect.get(socket, "parser");
  return typeof parser === "object" ? parser : null;
}

/**
 * A new connection has to send its first request in time, or is answered with 408. This one has been served before, so
 * its parser is told of a request that has ended: then it is idle, also for closeIdleConnections().
 */
function finishRequest(socket: Socket): void {
  const parser = parserOf(socket);
  if (parser === null || !("onIncoming" in parser) || !("execute" in parser)) return;
  const known = parser as RequestParser;
  const { onIncoming } = known;
  known.onIncoming = () => 0;
  known.execute(FINISHED_REQUEST);
  known.onIncoming = onIncoming;
}
