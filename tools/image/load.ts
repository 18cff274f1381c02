// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";

export interface LoadOptions {
  /** Socket of containerd. One that lies in another mount namespace is reached as `/proc/PID/root/run/…`. */
  readonly address: string;
}

/**
 * Imports archives into the images that the kubelet of this containerd sees. Each file once, however often it is named.
 *
 * @throws Error with what `ctr` said.
 */
export function loadImages(files: readonly string[], { address }: LoadOptions): void {
  for (const file of new Set(files)) {
    const args = ["-a", address, "-n", "k8s.io", "images", "import", file];
    const { status, error, stderr } = spawnSync("ctr", args, { encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
    if (error) throw new Error(`ctr cannot be started (${error.message}); install the package containerd`);
    if (status !== 0) throw new Error(`${file} was not imported into ${address}: ${stderr.trim()}`);
  }
}
