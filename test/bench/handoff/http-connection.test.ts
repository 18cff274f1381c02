// SPDX-License-Identifier: Apache-2.0
// What the load client calls an error must be one, and everything else must not.
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { HttpConnection } from "../../../bench/handoff/client/http-connection.ts";

const HEAD = "HTTP/1.1 200 OK\r\nX-Generation: 7\r\nContent-Length: 5\r\n";

async function serving(answer: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => answer(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test("a whole answer, in pieces, is one; the announced end is told", async () => {
  const port = await serving((socket) => {
    socket.write(`${HEAD}Connection: close\r\n\r\nhe`);
    setImmediate(() => socket.write("llo"));
  });
  const connection = new HttpConnection(port);
  expect(await connection.exchange("x")).toEqual({ body: "hello", generation: "7", last: true });
  connection.destroy();
});

test.each([
  ["ended", "is ended before any byte", (socket: Socket) => socket.end()],
  ["ended", "is ended in the middle", (socket: Socket) => socket.end(`${HEAD}\r\nhel`)],
  ["reset", "is reset", (socket: Socket) => socket.resetAndDestroy()],
  ["status", "is a 503", (socket: Socket) => socket.write("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")],
  ["content", "is followed by another", (socket: Socket) => socket.write(`${HEAD}\r\nhello${HEAD}\r\nhello`)],
] as const)("%s: an answer that %s", async (kind, _words, answer) => {
  const connection = new HttpConnection(await serving(answer));
  await expect(connection.exchange("x")).rejects.toMatchObject({ kind });
  expect(connection.ended).toBe(true);
});

test("refused: nobody listens", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  await expect(new HttpConnection(port).exchange("x")).rejects.toMatchObject({ kind: "refused" });
});

test("an end between two requests is told once and is no error", async () => {
  const port = await serving((socket) => socket.end(`${HEAD}\r\nhello`));
  const connection = new HttpConnection(port);
  const idleEnd = new Promise<void>((resolve) => (connection.onIdleEnd = resolve));
  await connection.exchange("x");
  await idleEnd;
  expect(connection.ended).toBe(true);
});
