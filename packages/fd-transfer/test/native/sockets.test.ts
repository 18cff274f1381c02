// SPDX-License-Identifier: Apache-2.0
import { chmodSync, closeSync, openSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadNative } from "../../src/native/addon.ts";
import { closing, codeOf, connections, folder, isCloseOnExec, openDescriptors, pair, portOf } from "./descriptors.ts";

const native = loadNative();
const hello = Buffer.from("hello");
const AF = { UNIX: 1, INET: 2, INET6: 10 };
const SOCK = { STREAM: 1, SEQPACKET: 5 };

test("a listener on a path has the mode asked for, whatever the umask is", () => {
  const dir = folder();
  const before = process.umask(0o077);
  onTestFinished(() => void process.umask(before));
  closing(native.listenSeqpacket(join(dir, "a"), 0o660, 8));
  process.umask(0);
  closing(native.listenSeqpacket(join(dir, "b"), 0o600, 8));
  closing(native.listenUnix(join(dir, "c"), 8, 0o666));
  expect(["a", "b", "c"].map((name) => statSync(join(dir, name)).mode & 0o777)).toEqual([0o660, 0o600, 0o666]);
});

test("connect, accept, talk both ways; who is there is known from either end", () => {
  const path = join(folder(), "s");
  const listener = closing(native.listenSeqpacket(path, 0o600, 8));
  expect(native.accept(listener)).toBeNull();
  const client = closing(native.connectSeqpacket(path));
  const server = closing(native.accept(listener) ?? -1);
  const self = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() };
  expect(native.peerCredentials(client)).toEqual(self);
  expect(native.peerCredentials(server)).toEqual(self);
  for (const fd of [listener, client, server]) expect(isCloseOnExec(fd)).toBe(true);
  native.send(client, hello, []);
  expect(native.recv(server, 10)).toMatchObject({ cred: self });
  native.send(server, hello, []);
  expect(native.recv(client, 10)).toMatchObject({ cred: self });
  expect(native.socketInfo(listener)).toMatchObject({ domain: AF.UNIX, type: SOCK.SEQPACKET, address: { path } });
});

test("a first message sent before accept carries the credentials too", () => {
  const path = join(folder(), "s");
  const listener = closing(native.listenSeqpacket(path, 0o600, 8));
  native.send(closing(native.connectSeqpacket(path)), hello, []);
  const server = closing(native.accept(listener) ?? -1);
  expect(native.recv(server, 10)?.cred?.pid).toBe(process.pid);
});

test("why nobody could be reached is told apart", () => {
  const dir = folder();
  const path = join(dir, "s");
  expect(codeOf(() => native.connectSeqpacket(path))).toBe("ENOENT");
  const listener = native.listenSeqpacket(path, 0o600, 0);
  expect(codeOf(() => native.listenSeqpacket(path, 0o600, 0))).toBe("EADDRINUSE");
  closing(native.connectSeqpacket(path)); // a queue of length 0 takes one
  expect(codeOf(() => native.connectSeqpacket(path))).toBe("EAGAIN");
  native.close(listener);
  expect(codeOf(() => native.connectSeqpacket(path))).toBe("ECONNREFUSED");
  writeFileSync(join(dir, "file"), "");
  chmodSync(join(dir, "file"), 0o600);
  expect(codeOf(() => native.connectSeqpacket(join(dir, "file", "s")))).toBe("ENOTDIR");
  expect(codeOf(() => native.connectSeqpacket(join(dir, "x".repeat(108))))).toBe("ENAMETOOLONG");
});

test("failures leave no descriptor behind", () => {
  const dir = folder();
  const before = openDescriptors();
  expect(codeOf(() => native.connectSeqpacket(join(dir, "none")))).toBe("ENOENT");
  expect(codeOf(() => native.listenSeqpacket(join(dir, "none", "s"), 0o600, 1))).toBe("ENOENT");
  expect(codeOf(() => native.listenTcp("192.0.2.1", 0, { backlog: 1 }))).toBe("EADDRNOTAVAIL");
  expect(codeOf(() => native.listenTcp("localhost", 0, { backlog: 1 }))).toBe("EINVAL");
  expect(openDescriptors()).toEqual(before);
});

test("TCP listeners: address, family, taken port, reusePort, v6only", () => {
  const v4 = closing(native.listenTcp("127.0.0.1", 0, { backlog: 8 }));
  const port = portOf(v4);
  expect(native.socketInfo(v4)).toEqual({
    domain: AF.INET,
    type: SOCK.STREAM,
    protocol: 6,
    accepting: true,
    cookie: expect.any(BigInt) as bigint,
    v6only: false,
    reusePort: false,
    address: { host: "127.0.0.1", port },
  });
  expect(codeOf(() => native.listenTcp("127.0.0.1", port, { backlog: 8 }))).toBe("EADDRINUSE");
  const v6 = closing(native.listenTcp("::1", port, { backlog: 8, v6only: true, reusePort: true }));
  expect(native.socketInfo(v6)).toMatchObject({ domain: AF.INET6, v6only: true, reusePort: true });
  expect(native.socketInfo(v6).address).toEqual({ host: "::1", port });
  const twin = closing(native.listenTcp("::1", port, { backlog: 8, v6only: true, reusePort: true }));
  expect(native.socketInfo(twin).cookie).not.toBe(native.socketInfo(v6).cookie);
});

test("'::' takes IPv4 as well", async () => {
  const listener = closing(native.listenTcp("::", 0, { backlog: 8 }));
  await connections(portOf(listener), 1);
  closing(native.accept(listener) ?? -1);
});

test("closing one of two references keeps the accept queue: the other holder accepts all (K13)", async () => {
  const [a, b] = pair();
  const listener = native.listenTcp("127.0.0.1", 0, { backlog: 64 });
  await connections(portOf(listener), 10);
  native.send(a, hello, [listener]);
  native.close(listener);
  const [received = -1] = closing(native.recv(b, 10)?.fds ?? []);
  const accepted: number[] = [];
  for (let fd = native.accept(received); fd !== null; fd = native.accept(received)) accepted.push(fd);
  closing(accepted);
  expect(accepted).toHaveLength(10);
});

test("a lock travels with its descriptor and is free when the last holder closes (K19)", () => {
  const [a, b] = pair();
  const path = join(folder(), "lock");
  const open = (): number => openSync(path, "a+");
  const mine = open();
  expect(native.lockExclusive(mine)).toBe(true);
  native.send(a, hello, [mine]);
  closeSync(mine);
  const other = closing(open());
  expect(native.lockExclusive(other)).toBe(false); // held although it is in flight
  const [received = -1] = native.recv(b, 10)?.fds ?? [];
  expect(native.lockExclusive(other)).toBe(false);
  expect(native.lockExclusive(received)).toBe(true); // any holder succeeds: no proof of ownership
  native.close(received);
  expect(native.lockExclusive(other)).toBe(true);
});

test("dup is a second, close-on-exec reference; close is final", () => {
  const [a] = pair();
  const copy = native.dup(a);
  expect(isCloseOnExec(copy)).toBe(true);
  expect(native.socketInfo(copy).cookie).toBe(native.socketInfo(a).cookie);
  native.close(copy);
  expect(native.isOpen(copy)).toBe(false);
  expect(codeOf(() => native.close(copy))).toBe("EBADF");
  expect(native.isOpen(a)).toBe(true);
});

test("UDP sockets: address, type, taken port, v6only, room for datagrams", () => {
  const v4 = closing(native.bindUdp("127.0.0.1", 0, { receiveBytes: 0 }));
  const port = portOf(v4);
  expect(isCloseOnExec(v4)).toBe(true);
  expect(native.socketInfo(v4)).toMatchObject({ domain: AF.INET, type: 2, protocol: 17, accepting: false });
  expect(codeOf(() => native.bindUdp("127.0.0.1", port, { receiveBytes: 0 }))).toBe("EADDRINUSE");
  const v6 = closing(native.bindUdp("::1", port, { receiveBytes: 100_000, v6only: true }));
  expect(native.socketInfo(v6)).toMatchObject({ domain: AF.INET6, v6only: true, address: { host: "::1", port } });
  expect(codeOf(() => native.bindUdp("localhost", 0, { receiveBytes: 0 }))).toBe("EINVAL");
  expect(codeOf(() => native.bindUdp("192.0.2.1", 0, { receiveBytes: 0 }))).toBe("EADDRNOTAVAIL");
});

test("a stream or datagram socket connects to a path, or to an abstract name", () => {
  const path = join(folder(), "s");
  const listener = closing(native.listenUnix(path, 8, 0o600));
  const client = closing(native.connectUnix(path, "stream"));
  expect(native.socketInfo(client)).toMatchObject({ domain: AF.UNIX, type: SOCK.STREAM });
  closing(native.accept(listener) ?? -1);
  expect(codeOf(() => native.connectUnix(path, "datagram"))).toBe("EPROTOTYPE");
  const name = `hot-test-${process.pid}`;
  expect(codeOf(() => native.connectUnix(`\0${name}`, "stream"))).toBe("ECONNREFUSED");
  // The length of an abstract name is part of it, so a NUL at its end would be another one.
  const server = createServer().listen(`\0${name}`);
  onTestFinished(() => void server.close());
  closing(native.connectUnix(`\0${name}`, "stream"));
  expect(codeOf(() => native.connectUnix(`\0${name}\0`, "stream"))).toBe("ECONNREFUSED");
});
