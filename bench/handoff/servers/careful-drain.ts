// SPDX-License-Identifier: Apache-2.0
import type { Server } from "node:http";
import { Server as NetServer } from "node:net";

/**
 * What a careful user of plain Node does when told to stop: stops accepting, leaves idle connections alone, says
 * `Connection: close` with each answer, and ends when nobody is left or when the time is over.
 */
export function drainCarefully(server: Server, deadlineMs: number, end: () => void): void {
  server.prependListener("request", (_request, response) => response.setHeader("connection", "close"));
  // http.Server's own close() would destroy idle connections, with requests that are on their way to them.
  NetServer.prototype.close.call(server, end);
  setTimeout(end, deadlineMs).unref();
}

/** What most do: close(), and cut what is left when the time is over. */
export function drainByClose(server: Server, deadlineMs: number, end: () => void): void {
  server.close(end);
  setTimeout(end, deadlineMs).unref();
}
