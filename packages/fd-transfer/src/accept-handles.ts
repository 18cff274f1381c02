// SPDX-License-Identifier: Apache-2.0
import type { Server } from "node:net";
import { loadNative } from "./native/addon.ts";

/** As many connections are accepted in one turn of the event loop. */
const HANDLES = 4;
/** TCPConstants.SERVER and PipeConstants.SERVER of Node. */
const AS_SERVER = 1;

/** The part of Node's handle of a listener that is needed. */
interface ListenHandle {
  onconnection: unknown;
  open(fd: number): number;
  listen(backlog: number): number;
  unref(): void;
  close(...then: unknown[]): void;
}

/**
 * libuv accepts one connection for each handle in each turn of the event loop. While a turn is long, because code runs
 * for the first time or connections arrive from another process, new ones would wait for as many turns as there are in
 * front of them, though each could be served at once. So several handles watch the same listener. They are closed with
 * Node's own, and everything else about a connection is Node's: counts, limits, options.
 *
 * Does nothing if Node's handle is not what it was when this was written: then it is one in each turn.
 */
export function acceptSeveral(server: Server, fd: number, backlog: number): void {
  const first: unknown = Reflect.get(server, "_handle");
  if (!isListenHandle(first)) return;
  const Handle = first.constructor as new (type: number) => ListenHandle;
  const more: ListenHandle[] = [];
  // Before any is opened: what fails half-way is closed with the server, too.
  const close = first.close.bind(first);
  first.close = (...then) => {
    for (const handle of more.splice(0)) handle.close();
    close(...then);
  };
  while (more.length < HANDLES - 1) {
    const handle = new Handle(AS_SERVER);
    more.push(handle);
    // By its symbols Node finds the server of a handle.
    for (const symbol of Object.getOwnPropertySymbols(first)) Reflect.set(handle, symbol, Reflect.get(first, symbol));
    handle.onconnection = first.onconnection;
    const own = loadNative().dup(fd);
    if (handle.open(own) !== 0) loadNative().close(own);
    else handle.listen(backlog);
    // Whether the process lives on is for Node's own handle to say.
    handle.unref();
  }
}

function isListenHandle(value: unknown): value is ListenHandle {
  if (typeof value !== "object" || value === null) return false;
  const names = ["onconnection", "open", "listen", "unref", "close"];
  return names.every((name) => typeof Reflect.get(value, name) === "function");
}
