// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import type { Clock } from "@hot/kube";
import { startProcess, CommandError } from "./process.ts";

export interface ExecOptions {
  /** Without it the command may run for ever (an exec hook has no timeout of its own). */
  timeoutMs?: number;
  /** Keep the beginning of what it prints. */
  capture?: boolean;
  /** The abort of any of them kills the command. */
  signals?: readonly AbortSignal[];
}

export interface ExecResult {
  /** Exit code; 137 when it was killed. */
  code: number;
  timedOut: boolean;
  /** All that it printed, as far as it was kept. */
  output: string;
  /** What of it went to stderr. */
  errors: string;
}

const CAPTURED = 10 * 1024;
/** How long a pipe that a detached grandchild keeps open is waited for. */
const PIPE_CLOSE_MS = 200;

/** Runs a command to its end, its timeout or the abort of a signal; the last two kill all of its process group. */
export async function runIn(
  command: { argv: readonly string[]; env: Readonly<Record<string, string>>; cwd: string },
  options: ExecOptions,
  clock: Clock,
): Promise<ExecResult> {
  const { timeoutMs, capture = false, signals = [] } = options;
  if (signals.some((signal) => signal.aborted)) return { code: 137, timedOut: false, output: "", errors: "" };
  const out = capture ? "pipe" : "ignore";
  let running;
  try {
    const endsWithParent = timeoutMs === undefined;
    running = startProcess({ ...command, stdio: ["ignore", out, out], endsWithParent }, clock);
  } catch (error) {
    if (error instanceof CommandError)
      return { code: 126, timedOut: false, output: error.message, errors: error.message };
    throw error;
  }
  const { child, exited, kill } = running;
  let output = "";
  let errors = "";
  const append = (text: string, chunk: string): string => (text + chunk).slice(0, CAPTURED);
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (output = append(output, chunk)));
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    output = append(output, chunk);
    errors = append(errors, chunk);
  });
  const closed = capture ? once(child, "close") : undefined;
  let timedOut = false;
  const expire = (): void => {
    timedOut = true;
    kill();
  };
  const timeout = timeoutMs === undefined ? undefined : clock.after(timeoutMs, expire);
  for (const signal of signals) signal.addEventListener("abort", kill);
  const { code } = await exited;
  timeout?.[Symbol.dispose]();
  for (const signal of signals) signal.removeEventListener("abort", kill);
  if (closed !== undefined) await Promise.race([closed, setTimeout(PIPE_CLOSE_MS)]);
  return { code, timedOut, output, errors };
}
