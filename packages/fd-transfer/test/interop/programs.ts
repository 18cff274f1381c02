// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess, SpawnOptions } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { onTestFinished, type TestContext } from "vitest";

/** The file of a program, or null. Debian keeps servers where only root looks. */
export function find(program: string): string | null {
  for (const folder of program.startsWith("/")
    ? [""]
    : [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"]) {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return join(folder, program);
    } catch {}
  }
  return null;
}

/** For a test of a real program: where it is absent the test fails in CI, and says why it is skipped elsewhere. */
export function need(context: TestContext, program: string, install: string): void {
  if (find(program) !== null) return;
  const why = `${program} is not installed: ${install}`;
  if (process.env["CI"] !== undefined) throw new Error(why);
  context.skip(why);
}

/** A real program, ended after the test. Its stderr is in the message when it ends before it is `until`. */
export class Program {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
  #stderr = "";

  constructor(command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.child = spawn(find(command) ?? command, args, { stdio: ["ignore", "ignore", "pipe"], ...options });
    this.exited = once(this.child, "exit");
    this.child.stderr?.on("data", (chunk) => (this.#stderr += String(chunk)));
    onTestFinished(async () => {
      // Not SIGKILL, unless asked for: the children of a server would stay.
      this.child.kill(options.killSignal ?? "SIGTERM");
      await this.exited;
    });
  }

  get stderr(): string {
    return this.#stderr;
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** Asks again until the answer is true; fails when the program ends. */
  async until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
    await eventually(`${this.child.spawnfile}: ${what}`, holds, () => {
      if (this.child.exitCode === null && this.child.signalCode === null) return;
      throw new Error(`${this.child.spawnfile} ended before ${what}: ${this.#stderr}`);
    });
  }
}

export async function eventually(
  what: string,
  holds: () => Promise<boolean> | boolean,
  check: () => void = () => undefined,
): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end;) {
    if (await holds()) return;
    check();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`not within 30 s: ${what}`);
}
