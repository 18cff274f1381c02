// SPDX-License-Identifier: Apache-2.0
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
