// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Addon } from "./contract.ts";
import { NativeError } from "./native-error.ts";
import { NativeUnavailable } from "./native-unavailable.ts";
import { addonFiles, isPrebuilt, nameOf, type Platform } from "./platform.ts";

/** As in `engines` of the package, which package managers only warn about. */
const LEAST_NODE = 24;

/**
 * Loads the addon that fits the platform. `root` is the folder of this package, null = not found.
 *
 * @throws NativeUnavailable with every file that was tried, why it would not do, and the command that repairs it.
 */
export function load(platform: Platform, root: string | null): Addon {
  const name = nameOf(platform);
  if (Number.parseInt(platform.node, 10) < LEAST_NODE) {
    throw new NativeUnavailable(`This is Node v${platform.node}.`, `Run with Node ${LEAST_NODE} or newer.`);
  }
  if (platform.os !== "linux") {
    throw new NativeUnavailable(
      `Descriptors can be handed over on Linux only; this is ${name}.`,
      "Run on Linux, in a container or in a virtual machine.",
    );
  }
  if (root === null) {
    throw new NativeUnavailable(
      "The folder of @hot/fd-transfer was not found from the running file.",
      "Install the package and keep it out of the bundle (external).",
    );
  }
  const files = addonFiles(root, platform);
  const present = files.filter((file) => existsSync(file));
  const command = `Build it with a C++ compiler: node ${join(root, "scripts", "build-native.mjs")}`;
  if (present.length === 0) {
    const reason = isPrebuilt(platform) ? "" : ` No binary for ${name} is part of the package.`;
    throw new NativeUnavailable(`${files.join(" and ")} ${doNotExist(files)}.${reason}`, command);
  }
  const failures: string[] = [];
  let cause: unknown;
  for (const file of present) {
    try {
      const module = createRequire(import.meta.url)(file) as { bind(error: typeof NativeError): Addon };
      return module.bind(NativeError);
    } catch (error) {
      cause ??= error;
      failures.push(`${file} cannot be loaded: ${error instanceof Error ? error.message : String(error)}.`);
    }
  }
  const where = `This is ${name}, Node v${platform.node}.`;
  throw new NativeUnavailable(`${failures.join(" ")} ${where}`, isForbidden(cause) ? ALLOW : command, cause);
}

const ALLOW = "Start Node without --no-addons and, under --permission, with --allow-addons.";

function isForbidden(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_DLOPEN_DISABLED";
}

function doNotExist(files: readonly string[]): string {
  return files.length === 1 ? "does not exist" : "do not exist";
}
