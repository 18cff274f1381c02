// SPDX-License-Identifier: Apache-2.0
// The demo's sidecar: a reverse proxy that hands its listener over to the next version of itself.
import { readConfig } from "./config.ts";
import { startSidecar } from "./sidecar.ts";

try {
  const config = readConfig(process.env);
  await startSidecar(config);
  if (config.crashAfterSeconds !== undefined) setTimeout(() => process.exit(1), config.crashAfterSeconds * 1000);
} catch (error) {
  const fix = error instanceof Error && "fix" in error ? `\n  fix: ${String(error.fix)}` : "";
  process.stderr.write(`sidecar: ${error instanceof Error ? error.message : String(error)}${fix}\n`);
  process.exit(1);
}
