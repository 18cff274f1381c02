// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";

/** `ctr` where it reaches a containerd; more words may come first, such as `nsenter … --` for one in namespaces. */
export interface LoadOptions {
  /** Socket of containerd. */
  readonly address: string;
  readonly enter?: readonly string[];
}

/**
 * Imports archives into the images that the kubelet of this containerd sees. Each file once, however often it is named.
 *
 * @throws Error with what `ctr` said and what to do.
 */
export function loadImages(files: readonly string[], { address, enter = [] }: LoadOptions): void {
  for (const file of new Set(files)) {
    const words = [...enter, "ctr", "-a", address, "-n", "k8s.io", "images", "import", file];
    const [command = "ctr", ...args] = words;
    const { status, error, stderr } = spawnSync(command, args, {
      encoding: "utf8",
      stdio: ["ignore", "ignore", "pipe"],
    });
    if (error) {
      throw new Error(`${command} cannot be started (${error.message}); it is part of Debian's package containerd`);
    }
    if (status !== 0) throw new Error(`${file} was not imported into ${address}: ${stderr.trim()}`);
  }
}
