// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { FixtureProcess } from "../../../packages/fd-transfer/test/fixtures/fixture-process.ts";
import { versions } from "../../../packages/fd-transfer/test/fixtures/fixture-process.ts";
import type { Ports } from "../client/traffic.ts";
import type { Peer, Running, Upgraded } from "./peer.ts";
import { Folder, startServer } from "./processes.ts";

/** After the last connection is closed, until the server has closed it as well. */
const SETTLED_MS = 500;

/**
 * Ours, as in a pod: the two sides know nothing of each other but the directory and their version, and the old one is told
 * to stop when the new one is ready.
 */
export class HotServers implements Running {
  readonly #folder = new Folder();
  readonly #ports: Ports;
  readonly #drainMs: number;
  readonly #running = new Set<FixtureProcess>();
  #version = 0;
  #owner: FixtureProcess | null = null;

  constructor(ports: Ports, drainMs: number) {
    this.#ports = ports;
    this.#drainMs = drainMs;
  }

  /** Who was ready last. */
  get owner(): FixtureProcess {
    if (this.#owner === null) throw new Error("nobody is ready yet");
    return this.#owner;
  }

  /** The next version, just started. */
  next(): FixtureProcess {
    const { http, udp, tls } = this.#ports;
    const version = ++this.#version;
    const process = startServer("hot.ts", {
      HOT_DIR: join(this.#folder.path, "d.hot"),
      VERSION: String(version),
      ...versions(version, version - 1),
      HTTP_PORT: String(http),
      UDP_PORT: String(udp),
      TLS_PORT: String(tls),
      GRACE_MS: String(this.#drainMs),
    });
    this.#running.add(process);
    void process.exited.then(() => this.#running.delete(process));
    return process;
  }

  async upgrade(): Promise<Upgraded> {
    const next = this.next();
    await next.says("ready");
    this.#owner?.kill("SIGTERM");
    this.#owner = next;
    const took = next.said.find(({ event }) => event === "took");
    if (took === undefined) return {};
    const figures = [took["ms"], took["probeMs"], took["cpuMs"]].map(Number);
    const [committedMs = Number.NaN, probeMs = Number.NaN, committedCpuMs = Number.NaN] = figures;
    return { committedMs, probeMs, committedCpuMs };
  }

  async descriptors(): Promise<number> {
    await Promise.all([...this.#running].filter((one) => one !== this.#owner).map(async (one) => one.exited));
    await sleep(SETTLED_MS);
    return this.owner.fds();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running].map(async (one) => one.end()));
    this.#folder.remove();
  }
}

export const hot: Peer = {
  name: "hot",
  title: "@hot/fd-transfer",
  serves: ["udp", "tls"],
  absent: () => null,
  start: async (ports, drainMs) => {
    const servers = new HotServers(ports, drainMs);
    await servers.upgrade();
    // From now on the serving process is one that has taken over, as in all that follows.
    await servers.upgrade();
    return servers;
  },
};
