// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from "node:url";
import type { Addon, Native } from "./contract.ts";
import { load } from "./load.ts";
import { packageRoot } from "./package-root.ts";
import { thisPlatform } from "./platform.ts";

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
  loaded ??= load(thisPlatform(), packageRoot(fileURLToPath(import.meta.url)));
  return loaded;
}
