// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import type { Server } from "node:net";
import { createConnection, Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { loadNative } from "./native/addon.ts";
import { OwnedFd } from "./native/owned-fd.ts";

const HOST = "127.0.0.1";
/** Strangers may be in front of our own connection. */
const BACKLOG = 64;

/**
 * A TCP connection of this process to its own server, past the address that it shares with others. The socket behind it
 * is made here and not by a server of Node's: that would load the resolver of names first, which takes a process that
 * has just started longer than all the rest.
 *
 * @returns The client's end; the server has the other one.
 */
export async function connectPast(server: Server): Promise<Socket> {
  using door = new OwnedFd(loadNative().listenTcp(HOST, 0, { backlog: BACKLOG }));
  const { address } = loadNative().socketInfo(door.fd);
  const port = address !== null && "port" in address ? address.port : 0;
  const client = createConnection({ host: HOST, port });
  try {
    await once(client, "connect");
    server.emit("connection", await otherEnd(door.fd, client, Reflect.get(server, "allowHalfOpen") === true));
    return client;
  } catch (error) {
    // With the door it would be reset, and nobody listens to its error.
    client.destroy();
    throw error;
  }
}

/** The door is open to everybody on this machine for a moment; only our own connection passes. */
async function otherEnd(door: number, client: Socket, allowHalfOpen: boolean): Promise<Socket> {
  while (!client.destroyed) {
    for (let fd = loadNative().accept(door); fd !== null; fd = loadNative().accept(door)) {
      const socket = new Socket({ fd, allowHalfOpen, readable: true, writable: true });
      if (socket.remotePort === client.localPort) return socket;
      socket.destroy();
    }
    await turn();
  }
  throw new Error("the private connection was cut before the server had it");
}
