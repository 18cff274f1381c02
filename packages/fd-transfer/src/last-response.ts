// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from "node:http";

const NUMBER = Symbol("number");
const IS_LAST = Symbol("isLast");
const WRITE_HEAD = Symbol("writeHead");

interface Asking extends Omit<ServerResponse, "writeHead"> {
  [NUMBER]: number;
  [IS_LAST]: (response: ServerResponse) => boolean;
  [WRITE_HEAD]: unknown;
  writeHead: unknown;
}

/**
 * Asks `isLast` when the head of this response is written, and not before: only then is it known whether the client has
 * sent further requests on the connection, and whether the drain still goes on. The last response carries
 * `Connection: close`.
 * The same function serves all responses: one made for each would keep it alive for longer than the connection, and
 * every collection of garbage would copy what nobody needs any more.
 */
export function announceEnd(
  response: ServerResponse,
  number: number,
  isLast: (response: ServerResponse) => boolean,
): void {
  const asking = response as Asking;
  asking[NUMBER] = number;
  asking[IS_LAST] = isLast;
  asking[WRITE_HEAD] = asking.writeHead;
  asking.writeHead = writeHead;
}

/** Which one of its connection it is; undefined: {@link announceEnd} does not know it. */
export function numberOf(response: ServerResponse): number | undefined {
  return (response as Partial<Asking>)[NUMBER];
}

function writeHead(this: ServerResponse & Asking, ...head: unknown[]): unknown {
  if (!this.headersSent && this[IS_LAST](this)) {
    this.setHeader("Connection", "close");
    endAfterUpload(this.req);
  }
  return Reflect.apply(this[WRITE_HEAD] as (...head: unknown[]) => unknown, this, head);
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
