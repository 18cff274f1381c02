// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Asks `isLast` when the head of this response is written, and not before: only then is it known whether the client has
 * sent further requests on the connection, and whether the drain still goes on. The last response carries
 * `Connection: close`.
 */
export function announceEnd(request: IncomingMessage, response: ServerResponse, isLast: () => boolean): void {
  const writeHead = response.writeHead.bind(response) as (...head: unknown[]) => ServerResponse;
  response.writeHead = (...head: unknown[]) => {
    if (!response.headersSent && isLast()) {
      response.setHeader("Connection", "close");
      endAfterUpload(request);
    }
    return writeHead(...head);
  };
}

/**
 * Node closes the connection with the end of the last response. If the client is still sending its request then, the
 * kernel answers the unread bytes with a reset, which destroys the response on its way. So only our half is closed, and
 * the rest of the upload is read and dropped until it ends or the client leaves.
 */
function endAfterUpload(request: IncomingMessage): void {
  const { socket } = request;
  const destroySoon = socket.destroySoon.bind(socket);
  socket.destroySoon = () => {
    socket.destroySoon = destroySoon;
    if (request.complete) return destroySoon();
    socket.end();
    request.once("end", destroySoon);
    request.resume();
  };
}
