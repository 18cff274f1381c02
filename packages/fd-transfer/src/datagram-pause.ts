// SPDX-License-Identifier: Apache-2.0
import type { Socket } from "node:dgram";
import { HandoffError } from "./errors.ts";

/** What a UDP handle of Node offers; 0 = done. */
interface DatagramHandle {
  readonly fd: number;
  recvStart(): number;
  recvStop(): number;
}

/** Of a socket; `bindState` 0 = nobody has begun to bind it. */
interface DatagramState {
  readonly handle: DatagramHandle | null;
  readonly bindState?: unknown;
}

/**
 * The handle behind a datagram socket, null from its close() on. Node has no pause for them: to close the socket instead
 * would take away the answers that are still to be sent, and it could not be opened again when this process takes back.
 *
 * @throws HandoffError HOT4014 when this version of Node keeps it elsewhere.
 */
export function handleOf(socket: Socket): DatagramHandle | null {
  return stateOf(socket).handle;
}

/** @throws HandoffError HOT4014 for one that was bound or closed: it cannot get the descriptor of another socket. */
export function mustBeUnused(socket: Socket, key: string): void {
  const { handle, bindState = 0 } = stateOf(socket);
  const what = handle === null ? "closed" : "bound";
  if (handle === null || bindState !== 0) {
    throw new HandoffError("HOT4014", `the socket for datagram ${key} was ${what} already`, { phase: "listen" });
  }
}

function stateOf(socket: Socket): DatagramState {
  for (const symbol of Object.getOwnPropertySymbols(socket)) {
    const state: unknown = Reflect.get(socket, symbol);
    if (typeof state !== "object" || state === null || !("handle" in state)) continue;
    const handle = state.handle as Partial<DatagramHandle> | null;
    if (handle === null || (typeof handle.recvStart === "function" && typeof handle.recvStop === "function")) {
      return state as DatagramState;
    }
  }
  throw new HandoffError("HOT4014", `datagram sockets cannot be paused in Node ${process.version}`, {
    phase: "listen",
  });
}
