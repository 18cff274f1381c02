// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { get } from "node:http";
import { loadNative } from "../../src/native/addon.ts";
import type { SocketInfo } from "../../src/native/contract.ts";

/** An address of this machine that no other test uses, so that any port on it is free. */
export function ownAddress(): string {
  const { pid } = process;
  return `127.${64 + ((pid >> 16) % 64)}.${(pid >> 8) % 256}.${pid % 256 || 1}`;
}

/** What a GET on a new connection says. */
export async function ask(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host, port, agent: false, headers: { connection: "close" } }, (response) => {
      let body = "";
      response.on("data", (chunk) => (body += String(chunk)));
      response.on("end", () => resolve(body));
      response.on("error", reject);
    });
    request.on("error", reject);
  });
}

/** GETs on new connections, four at a time, until it is stopped. */
export class Asking {
  readonly failures: unknown[] = [];
  readonly answers = new Map<string, number>();
  readonly #done: Promise<unknown>;
  #stopped = false;

  constructor(host: string, port: number) {
    const one = async (): Promise<void> => {
      while (!this.#stopped) {
        try {
          const said = await ask(host, port);
          this.answers.set(said, (this.answers.get(said) ?? 0) + 1);
        } catch (error) {
          this.failures.push(error);
        }
      }
    };
    this.#done = Promise.all([one(), one(), one(), one()]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }
}

export function cookies(sockets: Iterable<{ readonly info: SocketInfo }>): bigint[] {
  return [...sockets].map(({ info }) => info.cookie).sort(ascending);
}

export function cookiesOf(fds: readonly number[]): bigint[] {
  return fds.map((fd) => loadNative().socketInfo(fd).cookie).sort(ascending);
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}

/** The sockets that a process holds, one entry for each descriptor. Files come and go with whatever runs the tests. */
export function heldSockets(pid: number | "self" = "self"): string[] {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => socketOf(fd, pid));
  return links.filter((link) => link.startsWith("socket:"));
}

/** Its inode, as `socket:[NUMBER]`: equal in every process that holds it. Empty for a descriptor that has been closed. */
export function socketOf(fd: number | string, pid: number | "self" = "self"): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return "";
  }
}

/** Who listens on a TCP port of an IPv4 address, as {@link socketOf} says it. */
export function listeningSocket(host: string, port: number): string {
  const bytes = host
    .split(".")
    .reverse()
    .map((part) => Number(part).toString(16).padStart(2, "0"));
  const local = `${bytes.join("")}:${port.toString(16).padStart(4, "0")}`.toUpperCase();
  const lines = readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  const found = lines.filter(([, address, , state]) => address === local && state === "0A");
  if (found.length !== 1) throw new Error(`${found.length} sockets listen on ${host}:${port}`);
  return `socket:[${found[0]?.[9]}]`;
}
