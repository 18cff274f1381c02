// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { createConnection } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { acceptSeveral } from "../src/accept-handles.ts";
import { loadNative } from "../src/native/addon.ts";
import { NativeError } from "../src/native/native-error.ts";
import { openDescriptors } from "./native/descriptors.ts";

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A server with a listener of ours, and so many handles as it has. */
function listen(server: Server): { port: number; fd: number } {
  const fd = loadNative().listenTcp("127.0.0.1", 0, { backlog: 64 });
  server.listen({ fd: loadNative().dup(fd) }, 64);
  acceptSeveral(server, fd, 64);
  onTestFinished(() => {
    server.close();
    loadNative().close(fd);
  });
  return { port: (server.address() as AddressInfo).port, fd };
}

/** So many connections that the kernel has made, and that no server has got. */
async function waiting(port: number, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => createConnection(port, "127.0.0.1"));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return sockets;
}

test("several connections are accepted in one turn of the event loop", async () => {
  const perTurn: number[] = [];
  const came: Socket[] = [];
  const server = createServer((socket) => came.push(socket));
  const { port } = listen(server);
  await waiting(port, 16);
  // The handshakes are done by the kernel as soon as the calls are made.
  for (let turns = 0; came.length < 16 && turns < 100; turns++) {
    const before = came.length;
    await turn();
    perTurn.push(came.length - before);
  }
  expect(came).toHaveLength(16);
  expect(Math.max(...perTurn)).toBe(4);
});

test("they are connections as any other: counted, limited, dropped beyond the limit", async () => {
  const server = createServer();
  server.maxConnections = 2;
  let left = 6;
  const dropped = new Promise<void>((resolve) => server.on("drop", () => --left === 0 && resolve()));
  const { port } = listen(server);
  const sockets = await waiting(port, 8);
  for (const socket of sockets) socket.on("error", () => undefined);
  await dropped;
  await expect(new Promise((resolve) => server.getConnections((_, count) => resolve(count)))).resolves.toBe(2);
  for (const socket of sockets) socket.destroy();
});

test("with the server all of them are closed, and nothing accepts any more", async () => {
  const before = openDescriptors().length;
  let came = 0;
  const server = createServer(() => came++);
  const { port, fd } = listen(server);
  expect(openDescriptors().length).toBe(before + 5);
  server.close();
  await once(server, "close");
  expect(openDescriptors().length).toBe(before + 1);
  const [socket] = await waiting(port, 1);
  await once(socket as Socket, "connect");
  for (let turns = 0; turns < 20; turns++) await turn();
  expect(came).toBe(0);
  // It is in the queue, for whoever else holds the listener.
  const accepted = loadNative().accept(fd);
  expect(accepted).not.toBeNull();
  loadNative().close(accepted as number);
});

test("descriptors that run out half-way: what was opened is closed with the server", async () => {
  const native = loadNative();
  const fd = native.listenTcp("127.0.0.1", 0, { backlog: 64 });
  const before = openDescriptors().length;
  const server = createServer();
  server.listen({ fd: native.dup(fd) }, 64);
  const dup = native.dup.bind(native);
  let left = 2;
  native.dup = (one) => {
    if (left-- > 0) return dup(one);
    throw new NativeError("EMFILE", 24, "dup", "none is left");
  };
  onTestFinished(() => {
    native.dup = dup;
    native.close(fd);
  });
  expect(() => acceptSeveral(server, fd, 64)).toThrow("none is left");
  expect(openDescriptors().length).toBe(before + 3);
  server.close();
  await once(server, "close");
  expect(openDescriptors().length).toBe(before);
});
