// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface SidecarConfig {
  readonly version: string;
  readonly container: string;
  readonly listen: Address;
  readonly upstream: Address;
  /** The build that is broken on purpose: it ends at once. */
  readonly crash: boolean;
  /** The build that is broken in another way: it ends so long after it has begun to serve. */
  readonly crashAfterSeconds?: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

export function portIn(env: Environment, name: string, fallback: number): number {
  const text = env[name] || String(fallback);
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 65_535) {
    throw new Error(`${name}=${text} is no port; set it to a number from 1 to 65535`);
  }
  return value;
}

export function listenHostIn(env: Environment): string {
  const host = env["LISTEN_HOST"] || "::";
  if (isIP(host) === 0) throw new Error(`LISTEN_HOST=${host} is no IP address; set it to one, :: for all`);
  return host;
}

function crashAfterIn(env: Environment): Pick<SidecarConfig, "crashAfterSeconds"> {
  const text = env["DEMO_CRASH_AFTER_SECONDS"];
  if (!text) return {};
  if (!/^\d{1,6}$/.test(text))
    throw new Error(`DEMO_CRASH_AFTER_SECONDS=${text} is no number of seconds; set it to one`);
  return { crashAfterSeconds: Number(text) };
}

/** Reads the environment; throws an Error that names the variable and says what to set. */
export function readConfig(env: Environment): SidecarConfig {
  return {
    version: env["DEMO_VERSION"] || "dev",
    container: env["DEMO_CONTAINER"] || env["HOSTNAME"] || "sidecar",
    listen: { host: listenHostIn(env), port: portIn(env, "LISTEN_PORT", 9091) },
    upstream: { host: env["UPSTREAM_HOST"] || "127.0.0.1", port: portIn(env, "UPSTREAM_PORT", 8080) },
    crash: env["DEMO_CRASH"] === "1",
    ...crashAfterIn(env),
  };
}
