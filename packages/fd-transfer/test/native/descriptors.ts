// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect as connectTcp, type Socket } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { loadNative } from "../../src/native/addon.ts";
import { NativeError } from "../../src/native/native-error.ts";

/** The numbers of all descriptors of this process, without the one that reads the list. */
export function openDescriptors(): string[] {
  const list = readdirSync("/proc/self/fd");
  return list.filter((fd) => loadNative().isOpen(Number(fd))).sort();
}

export function isCloseOnExec(fd: number): boolean {
  const flags = /flags:\t(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "0";
  return (Number.parseInt(flags, 8) & 0o2000000) !== 0;
}

/** A folder that is gone after the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "hot-native-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Closes what is still open after the test. */
export function closing<T extends number | readonly number[]>(fds: T): T {
  onTestFinished(() => {
    for (const fd of new Array<number>().concat(fds)) if (loadNative().isOpen(fd)) loadNative().close(fd);
  });
  return fds;
}

export function pair(): [number, number] {
  return closing(loadNative().socketpair());
}

/** The code of the NativeError that this throws. */
export function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof NativeError) return error.code;
    throw error;
  }
  return "no error";
}

/** Client connections to a listener, established by the kernel: nobody has accepted them. */
export async function connections(port: number, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connectTcp(port, "127.0.0.1"));
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return sockets;
}

export function portOf(fd: number): number {
  const { address } = loadNative().socketInfo(fd);
  if (address === null || !("port" in address)) throw new Error("not a TCP socket");
  return address.port;
}
