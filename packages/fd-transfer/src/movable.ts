// SPDX-License-Identifier: Apache-2.0
import type { Socket } from "node:net";
import { loadNative } from "./native/addon.ts";
import { OwnedFd } from "./native/owned-fd.ts";

/** What goes along with a connection. */
export interface Luggage {
  readonly meta: Uint8Array;
  /** Read and not used. */
  readonly unread: Uint8Array;
}

/** A connection that no process reads. Whoever has it adopts it, passes it on or closes it. */
export interface PackedConnection extends Luggage {
  readonly key: string;
  readonly fd: OwnedFd;
}

/** Connections of one kind: which of them can move now, and what to do with one that arrives. */
export interface ConnectionKind {
  readonly key: string;
  has(socket: Socket): boolean;
  candidates(): Iterable<Socket>;
  /** Null = not now. Otherwise nobody may touch the socket any more. */
  pack(socket: Socket): Luggage | null;
  /** Begins to read. The descriptor is taken over. */
  adopt(packed: PackedConnection): void;
}

/** The part of Node's handle that is needed: its number, and what it has not written yet. */
interface StreamHandle {
  readonly fd: number;
  readonly writeQueueSize: number;
}

function handleOf(socket: Socket): StreamHandle | null {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null) return null;
  const { fd, writeQueueSize } = handle as Partial<StreamHandle>;
  return typeof fd === "number" && fd >= 0 && typeof writeQueueSize === "number" ? { fd, writeQueueSize } : null;
}

/** Nothing is on its way out, and neither side has ended: what is not read yet goes along by itself. */
export function isAtRest(socket: Socket): boolean {
  const handle = handleOf(socket);
  return (
    handle !== null &&
    handle.writeQueueSize === 0 &&
    socket.writableLength === 0 &&
    !socket.connecting &&
    !socket.destroyed &&
    !socket.writableEnded &&
    !socket.readableEnded &&
    // A decoder may keep part of a character to itself.
    socket.readableEncoding === null
  );
}

/** Of the same connection; null: the process has no room for one more. */
export function secondDescriptor(socket: Socket): OwnedFd | null {
  const handle = handleOf(socket);
  if (handle === null) return null;
  try {
    return new OwnedFd(loadNative().dup(handle.fd));
  } catch {
    return null;
  }
}

/**
 * Takes the connection away from a socket that is at rest: the socket is destroyed, the client sees nothing of it. What
 * the socket had read and not given out is returned behind `unread`.
 */
export function detach(socket: Socket, packed: PackedConnection): PackedConnection {
  socket.removeAllListeners("data").removeAllListeners("readable");
  const chunks = [packed.unread];
  for (let chunk: unknown = socket.read(); chunk instanceof Uint8Array; chunk = socket.read()) chunks.push(chunk);
  // Closes Node's descriptor alone: no shutdown(), which would act on the connection itself.
  socket.destroy();
  return chunks.length === 1 ? packed : { ...packed, unread: Buffer.concat(chunks) };
}
