// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { envoy as provided } from "../../../test/packing/provision.ts";
import type { Peer } from "./peer.ts";
import { Folder } from "./processes.ts";
import { findProgram, generation, startBackend, startProgram, until } from "./programs.ts";

/** Fetched at the first use, unless it is there. */
let program = "";

/** JSON is YAML. */
function configuration(port: number, backend: number, epoch: number): string {
  const address = (port_value: number): object => ({ socket_address: { address: "127.0.0.1", port_value } });
  const type = (name: string): { "@type": string } => ({ "@type": `type.googleapis.com/envoy.extensions.${name}` });
  const limits = { max_connections: 10_000, max_pending_requests: 10_000, max_requests: 10_000 };
  const manager = {
    ...type("filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "f",
    upgrade_configs: [{ upgrade_type: "echo" }],
    http_filters: [{ name: "envoy.filters.http.router", typed_config: type("filters.http.router.v3.Router") }],
    route_config: {
      response_headers_to_remove: ["x-generation"],
      response_headers_to_add: [{ header: { key: "x-generation", value: `epoch-${epoch}` } }],
      virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "b" } }] }],
    },
  };
  const filter = { name: "envoy.filters.network.http_connection_manager", typed_config: manager };
  const cluster = {
    name: "b",
    type: "STATIC",
    connect_timeout: "5s",
    circuit_breakers: { thresholds: [limits] },
    load_assignment: {
      cluster_name: "b",
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(backend) } }] }],
    },
  };
  const listener = { name: "f", address: address(port), filter_chains: [{ filters: [filter] }] };
  return JSON.stringify({ static_resources: { listeners: [listener], clusters: [cluster] } });
}

/** A new epoch asks the one before for its listeners, makes it drain at once, and ends it after the drain. */
export const envoy: Peer = {
  name: "envoy",
  title: "Envoy, hot restart, immediate",
  serves: [],
  absent: () => {
    try {
      program = provided();
    } catch (error) {
      return `envoy is not installed and cannot be fetched: ${String(error)}`;
    }
    return findProgram(program) === null ? `${program} is no program` : null;
  },
  start: async ({ http }, drainMs) => {
    const folder = new Folder();
    const backend = await startBackend();
    const all: ChildProcess[] = [];
    const base = String(process.pid % 1_000_000);
    const seconds = drainMs / 1000;
    const upgrade = async (): Promise<object> => {
      const epoch = all.length;
      const file = join(folder.path, `${epoch}.json`);
      writeFileSync(file, configuration(http, backend.port, epoch));
      const restart = ["--restart-epoch", String(epoch), "--base-id", base, "--drain-strategy", "immediate"];
      const times = ["--drain-time-s", String(seconds - 1), "--parent-shutdown-time-s", String(seconds)];
      const rest = ["--concurrency", "1", "-l", "warning", "-c", file];
      all.push(startProgram(program, [...restart, ...times, ...rest], folder.path));
      await until(`epoch ${epoch}`, folder.path, async () => (await generation(http)) === `epoch-${epoch}`);
      return {};
    };
    await upgrade();
    return {
      upgrade,
      [Symbol.asyncDispose]: async () => {
        const end = async (child: ChildProcess): Promise<void> => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          const exited = once(child, "exit");
          child.kill("SIGKILL");
          await exited;
        };
        await Promise.all([...all.map(end), backend.process.end()]);
        folder.remove();
      },
    };
  },
};
