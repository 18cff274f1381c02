// SPDX-License-Identifier: Apache-2.0

export interface SidecarConfig {
  version: string;
  container: string;
  listen: { host: string; port: number };
  upstream: { host: string; port: number };
  /** The build that is broken on purpose: it ends at once. */
  crash: boolean;
}

function port(env: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const text = env[name] ?? String(fallback);
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535) {
    throw new Error(`${name}=${text} is no port; set it to a number from 1 to 65535`);
  }
  return value;
}

/** Reads the environment; throws an Error that names the variable. */
export function readConfig(env: NodeJS.ProcessEnv): SidecarConfig {
  return {
    version: env["DEMO_VERSION"] ?? "dev",
    container: env["DEMO_CONTAINER"] ?? env["HOSTNAME"] ?? "sidecar",
    listen: { host: env["LISTEN_HOST"] ?? "::", port: port(env, "LISTEN_PORT", 9091) },
    upstream: { host: env["UPSTREAM_HOST"] ?? "127.0.0.1", port: port(env, "UPSTREAM_PORT", 8080) },
    crash: env["DEMO_CRASH"] === "1",
  };
}
