// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Native } from "./contract.ts";
import { NativeError } from "./native-error.ts";
import { NativeUnavailable } from "./native-unavailable.ts";
import { packageRoot } from "./package-root.ts";

/** What watches one descriptor; `Poller` is the public form. */
export interface PollHandle {
  start(events: number): void;
  stop(): void;
  close(): void;
  ref(): void;
  unref(): void;
}

/** Everything the addon has. */
export interface Addon extends Native {
  createPoller(fd: number, onEvent: (events: number) => void): PollHandle;
}

let loaded: Addon | null = null;

/**
 * The system calls of `Native`, loaded at the first call: on a platform without them the import works, and this throws.
 * Once per thread; workers may use it at the same time.
 *
 * @throws NativeUnavailable with the cause and the command that repairs it.
 */
export function loadNative(): Native {
  return loadAddon();
}

export function loadAddon(): Addon {
  loaded ??= load(process.platform, process.arch, packageRoot(fileURLToPath(import.meta.url)));
  return loaded;
}

export function load(platform: string, arch: string, root: string | null): Addon {
  if (platform !== "linux") {
    throw new NativeUnavailable(
      `Descriptors can be handed over on Linux only; this is ${platform}-${arch}.`,
      "Run on Linux, in a container or in a virtual machine.",
    );
  }
  if (root === null) {
    throw new NativeUnavailable(
      "The folder of @hot/fd-transfer was not found from the running file.",
      "Install the package and keep it out of the bundle (external).",
    );
  }
  const file = join(root, "build", "hot-fd.node");
  const command = `Build it: node ${join(root, "scripts", "build-native.mjs")}`;
  if (!existsSync(file)) throw new NativeUnavailable(`${file} does not exist.`, command);
  try {
    const module = createRequire(import.meta.url)(file) as { bind(error: typeof NativeError): Addon };
    return module.bind(NativeError);
  } catch (error) {
    throw new NativeUnavailable(`${file} cannot be loaded by Node ${process.version} (${arch}).`, command, error);
  }
}
