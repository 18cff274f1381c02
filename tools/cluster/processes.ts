// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ClusterError } from "./cluster-error.ts";
import { childOf, inside } from "./sandbox.ts";

/** One long-running process of a cluster, such as `kubelet-n1`. */
export interface Component {
  name: string;
  command: readonly string[];
  env?: Readonly<Record<string, string>>;
}

/** The processes of a cluster. What runs is read from pid files and /proc, so that any command can take part at any time. */
export class Processes {
  readonly #folder: string;
  readonly #init: number;

  constructor(folder: string, init: number) {
    this.#folder = folder;
    this.#init = init;
  }

  /** Number of the process as the host sees it; `undefined` when it does not run. */
  pid(name: string): number | undefined {
    return livingPid(join(this.#folder, "run", `${name}.pid`));
  }

  /** Starts it unless it runs. Its output is appended to `log/<name>.log`. */
  async start({ name, command, env }: Component): Promise<void> {
    if (this.pid(name) !== undefined) return;
    const log = openSync(join(this.#folder, "log", `${name}.log`), "a");
    const [file = "", ...args] = inside(this.#init, command);
    const outer = spawn(file, args, {
      detached: true,
      cwd: this.#folder,
      env: { PATH: process.env["PATH"], HOME: this.#folder, ...env },
      stdio: ["ignore", log, log],
    });
    outer.unref();
    const exited = new Promise<undefined>((resolve) => outer.once("exit", () => resolve(undefined)));
    const pid = await Promise.race([childOf(outer.pid ?? 0).catch(() => undefined), exited]);
    if (pid === undefined) throw this.failure(name);
    writeFileSync(join(this.#folder, "run", `${name}.pid`), String(pid));
  }

  /** Sends a signal and waits until the process is gone. */
  async end(name: string, signal: NodeJS.Signals): Promise<void> {
    const pid = this.pid(name);
    if (pid === undefined) return;
    process.kill(pid, signal);
    while (this.pid(name) !== undefined) await sleep(10);
  }

  /** Waits until the check is true; says what the component logged last when it ends or takes too long. */
  async until(name: string, check: () => boolean | Promise<boolean>, limitMs = 60_000): Promise<void> {
    const end = performance.now() + limitMs;
    while (!(await check())) {
      if (this.pid(name) === undefined || performance.now() > end) throw this.failure(name);
      await sleep(50);
    }
  }

  failure(name: string): ClusterError {
    const file = join(this.#folder, "log", `${name}.log`);
    const last = readFileSync(file, "utf8").trim().split("\n").slice(-3).join("\n       ");
    return new ClusterError(
      `${name} ${this.pid(name) === undefined ? "has ended" : "is not ready in time"}`,
      last,
      `read ${file}; then \`pnpm cluster down\` and \`pnpm cluster up\``,
    );
  }

  names(): string[] {
    const files = readdirSync(join(this.#folder, "run")).filter((file) => file.endsWith(".pid"));
    return files.map((file) => file.slice(0, -4)).sort();
  }
}

/** The process that a pid file names, if it lives. */
export function livingPid(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    const threads = readdirSync(`/proc/${pid}/task`);
    // The first thread may have ended while others, that end later, still hold the sockets of the process.
    return threads.some((thread) => runs(`/proc/${pid}/task/${thread}/status`)) ? pid : undefined;
  } catch {
    return undefined;
  }
}

function runs(status: string): boolean {
  try {
    return /^State:\s+[^ZX]/m.test(readFileSync(status, "utf8"));
  } catch {
    return false;
  }
}
