// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { parseConfig, USAGE, UsageError, type Config } from "./config.ts";
import { createLog } from "./log.ts";
import { installationOf } from "./installation.ts";
import { runWebhook } from "./run.ts";
import { runUninstall } from "./run-uninstall.ts";

// The only file that touches process.*: everything else gets what it needs as arguments.

function readConfig(): Config | undefined {
  try {
    const config = parseConfig(process.argv.slice(2), process.env);
    if (config !== "help") return config;
    process.stdout.write(USAGE);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`hot-webhook: ${error.message}\n`);
    process.exitCode = 2;
  }
  return undefined;
}

/** Of the pod's ServiceAccount; empty outside of a cluster. */
function token(): string {
  try {
    return readFileSync("/var/run/secrets/kubernetes.io/serviceaccount/token", "utf8");
  } catch {
    return "";
  }
}

async function main(config: Config): Promise<void> {
  const log = createLog(config.logLevel, (line) => process.stdout.write(line));
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort());
  try {
    const installation = installationOf(token());
    const identity = `${hostname()}_${randomUUID()}`;
    if (config.command === "uninstall") return await runUninstall(config, { log, installation });
    await runWebhook(config, stop.signal, { log, instance: hostname(), identity, installation });
    log.info("stopped");
  } catch (error) {
    if (!stop.signal.aborted) {
      log.error("failed", { err: error });
      process.stderr.write(`hot-webhook: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
  }
}

const config = readConfig();
if (config !== undefined) await main(config);
