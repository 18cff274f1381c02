// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:https";
import type { Socket } from "node:net";

const DRAIN_MS = 3000;

/**
 * Makes a server stop without losing a request: no new connection, those without a request under way are closed (also
 * ones that never sent any, which `closeIdleConnections` leaves open), the others after their answer, which says
 * `Connection: close`. What takes longer than 3 s is cut.
 *
 * @returns the function that stops it
 */
export function stoppable(server: Server): () => Promise<void> {
  const connections = new Set<Socket>();
  const busy = new Set<Socket>();
  let stopping = false;
  server.on("secureConnection", (socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  server.prependListener("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    busy.add(socket);
    if (stopping) response.setHeader("connection", "close");
    response.once("close", () => {
      busy.delete(socket);
      if (stopping) socket.end();
    });
  });
  return () =>
    new Promise((resolve) => {
      stopping = true;
      const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
      server.close(() => {
        clearTimeout(cut);
        resolve();
      });
      for (const socket of connections) if (!busy.has(socket)) socket.destroy();
    });
}
