// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Peer } from "./peer.ts";
import { Folder } from "./processes.ts";
import { generation, notInstalled, startBackend, startProgram, until } from "./programs.ts";

function configuration(port: number, backend: number, socket: string, drainMs: number): string {
  return `global
  stats socket ${socket} mode 600 level admin expose-fd listeners
  hard-stop-after ${drainMs}ms
  nbthread 1
  maxconn 8000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
  option idle-close-on-response
frontend f
  bind 127.0.0.1:${port} backlog 4096
  http-response set-header x-generation %[env(GENERATION)]
  default_backend b
backend b
  server s 127.0.0.1:${backend}
`;
}

/** The new process asks the old one for its listeners (-x) and tells it to finish (-sf). */
export const haproxy: Peer = {
  name: "haproxy",
  title: "HAProxy -x, idle-close-on-response",
  serves: [],
  absent: () => notInstalled("haproxy"),
  start: async ({ http }, drainMs) => {
    const folder = new Folder();
    const backend = await startBackend();
    const [file, socket] = [join(folder.path, "cfg"), join(folder.path, "stats.sock")];
    writeFileSync(file, configuration(http, backend.port, socket, drainMs));
    const all: ChildProcess[] = [];
    const upgrade = async (): Promise<object> => {
      const before = all.at(-1);
      const takeover = before === undefined ? [] : ["-x", socket, "-sf", String(before.pid)];
      const own = String(all.length + 1);
      all.push(startProgram("env", [`GENERATION=${own}`, "haproxy", "-db", "-f", file, ...takeover], folder.path));
      await until(`HAProxy ${own}`, folder.path, async () => (await generation(http)) === own);
      return {};
    };
    await upgrade();
    const end = async (child: ChildProcess): Promise<void> => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    };
    return {
      upgrade,
      [Symbol.asyncDispose]: async () => {
        await Promise.all([...all.map(end), backend.process.end()]);
        folder.remove();
      },
    };
  },
};
