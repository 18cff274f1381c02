// SPDX-License-Identifier: Apache-2.0
import type { FixtureProcess } from "../../../packages/fd-transfer/test/fixtures/fixture-process.ts";
import type { Ports } from "../client/traffic.ts";
import type { Peer, Running } from "./peer.ts";
import { startServer } from "./processes.ts";

function nodePeer(name: string, title: string, start: Peer["start"]): Peer {
  return { name, title, serves: [], absent: () => null, start };
}

/** Each generation binds the port for itself and has an accept queue of its own. */
function reusing(drain: "careful" | "close"): Peer["start"] {
  return async ({ http }, drainMs) => {
    const all: FixtureProcess[] = [];
    const upgrade = async (): Promise<object> => {
      const env = { LISTEN: "reuseport", DRAIN: drain, DRAIN_MS: String(drainMs), HTTP_PORT: String(http) };
      const next = startServer("node.ts", { ...env, VERSION: String(all.length + 1) });
      const before = all.at(-1);
      all.push(next);
      await next.says("ready");
      before?.kill("SIGTERM");
      return {};
    };
    await upgrade();
    return { upgrade, [Symbol.asyncDispose]: async () => void (await Promise.all(all.map(async (one) => one.end()))) };
  };
}

/** A launcher that starts the next generation when it is told to, and says when that serves. */
function launched(script: string, event: string): Peer["start"] {
  return async ({ http }, drainMs) => {
    const env = { DRAIN: "careful", DRAIN_MS: String(drainMs), HTTP_PORT: String(http) };
    const launcher = startServer(script, env);
    await launcher.says(event);
    const upgrade = async (): Promise<object> => {
      const from = launcher.said.length;
      launcher.kill("SIGUSR2");
      await launcher.says(event, from);
      return {};
    };
    return { upgrade, [Symbol.asyncDispose]: async () => launcher.end() };
  };
}

/** Nothing is ever restarted: what the machine and the load client cost. */
async function floorServer({ http }: Ports): Promise<Running> {
  const server = startServer("node.ts", { HTTP_PORT: String(http), VERSION: "1" });
  await server.says("ready");
  return { upgrade: async () => ({}), [Symbol.asyncDispose]: async () => server.end() };
}

export const floor = nodePeer("floor", "Node, no restart (floor)", floorServer);
export const reuseClose = nodePeer("reuseport", "Node SO_REUSEPORT + server.close()", reusing("close"));
export const reuseCareful = nodePeer("reuseport-careful", "Node SO_REUSEPORT, careful drain", reusing("careful"));
export const clusterRolling = nodePeer("cluster", "Node cluster, rolling", launched("cluster.ts", "upgraded"));
export const inherited = nodePeer(
  "inherited",
  "Node, listener inherited, careful drain",
  launched("inheriting.ts", "ready"),
);
