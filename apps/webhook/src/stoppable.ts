// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:https";
import type { Socket } from "node:net";

const DRAIN_MS = 3000;

export interface Stoppable {
  /**
   * Every answer from now on ends its connection. New ones are still taken. To be called some time before `stop`: a client
   * that sends on a connection which is being closed at this side loses its request, and that a connection will be closed
   * can only be said in an answer.
   */
  retire(): void;
  /**
   * Ends without losing a request: no new connection, those without a request under way are closed (also ones that never
   * sent any, which `closeIdleConnections` leaves open), the others after their answer. What takes longer than 3 s is cut.
   */
  stop(): Promise<void>;
}

/** Makes a server stop in an orderly way. */
export function stoppable(server: Server): Stoppable {
  /** Also those that have not finished, or not begun, a TLS handshake: the server waits for them, too. */
  const raw = new Set<Socket>();
  const connections = new Set<Socket>();
  const busy = new Map<Socket, ServerResponse>();
  let retiring = false;
  let stopping = false;
  server.on("connection", (socket: Socket) => {
    raw.add(socket);
    socket.once("close", () => raw.delete(socket));
  });
  server.on("secureConnection", (socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  server.prependListener("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    busy.set(socket, response);
    if (retiring) response.setHeader("connection", "close");
    response.once("close", () => {
      busy.delete(socket);
      if (stopping) socket.end();
    });
  });
  const retire = (): void => {
    retiring = true;
    for (const response of busy.values()) if (!response.headersSent) response.setHeader("connection", "close");
  };
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      retire();
      stopping = true;
      const cut = setTimeout(() => raw.forEach((socket) => socket.destroy()), DRAIN_MS);
      server.close(() => {
        clearTimeout(cut);
        resolve();
      });
      for (const socket of connections) if (!busy.has(socket)) socket.destroy();
    });
  return { retire, stop };
}
