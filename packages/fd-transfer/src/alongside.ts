// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:net";

type OnRequest = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Listens in front of the application, and only where the application listens itself: Node has an answer of its own for
 * an event without listeners, and an HTTP/2 server makes requests of all its streams as soon as somebody asks for them.
 */
export function alongside(server: Server, event: string, listener: OnRequest): void {
  if (server.listenerCount(event) > 0) {
    server.prependListener(event, listener);
    return;
  }
  const onNew = (added: string): void => {
    if (added !== event) return;
    server.off("newListener", onNew);
    server.prependListener(event, listener);
  };
  server.on("newListener", onNew);
}

/** Calls the listener for every request that the application is given, whatever it was told of first. */
export function onEveryRequest(server: Server, listener: OnRequest): void {
  for (const event of ["request", "checkContinue", "checkExpectation"]) alongside(server, event, listener);
}
