// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createWriteStream, readFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { FixtureProcess } from "../../../packages/fd-transfer/test/fixtures/fixture-process.ts";
import { freePort } from "../../../apps/demo/src/free-port.ts";
import { startServer } from "./processes.ts";

const PATIENCE_MS = 30_000;

/** The program's path, or null. */
export function findProgram(name: string): string | null {
  const { status, stdout } = spawnSync("sh", ["-c", 'command -v -- "$0"', name], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

export function notInstalled(name: string): string | null {
  return findProgram(name) === null ? `${name} is not installed` : null;
}

/** The trivial server behind a proxy; it is never restarted. */
export async function startBackend(): Promise<{ port: number; process: FixtureProcess }> {
  const port = await freePort();
  const process = startServer("node.ts", { HTTP_PORT: String(port), VERSION: "backend" });
  await process.says("ready");
  return { port, process };
}

/** Starts a program whose output goes to a file of this folder. */
export function startProgram(program: string, args: readonly string[], folder: string): ChildProcess {
  const log = createWriteStream(join(folder, "log"), { flags: "a" });
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) stream.pipe(log, { end: false });
  return child;
}

/** Waits until `look` says yes; tells the end of the log when it takes too long. */
export async function until(what: string, folder: string, look: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; !(await look()); await sleep(10)) {
    if (performance.now() < end) continue;
    throw new Error(`waited in vain for ${what}:\n${readFileSync(join(folder, "log"), "utf8").slice(-2_000)}`);
  }
}

/** Which process answers now: header `x-generation`, or "" when nobody does. */
export async function generation(port: number): Promise<string> {
  return new Promise((resolve) => {
    const asked = get({ port, host: "127.0.0.1", agent: false }, (response) => {
      resolve(String(response.headers["x-generation"] ?? ""));
      response.resume();
    });
    asked.on("error", () => resolve(""));
  });
}
