// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./bundle.ts";

/** The value of `CONTAINERD_ADDRESS` in lines for a shell, such as `export CONTAINERD_ADDRESS=/run/c.sock`. */
export function addressIn(environment: string): string | undefined {
  return /^(?:export )?CONTAINERD_ADDRESS=(["']?)(\S+)\1$/m.exec(environment)?.[2];
}

/**
 * Where the containerd of a cluster listens, as `pnpm cluster env` says it.
 *
 * @throws Error when there is no such cluster
 */
export function clusterAddress(cluster: string): string {
  const words = ["--conditions=@hot/source", join(root, "tools/cluster/main.ts"), "env", "--name", cluster];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
  const address = addressIn(stdout);
  if (status === 0 && address !== undefined) return address;
  throw new Error(
    `cluster ${cluster} does not say where its containerd listens (CONTAINERD_ADDRESS): ` +
      `${stderr.trim() || "no such line"}; start it with \`pnpm cluster up\`, or name the socket: --address`,
  );
}
