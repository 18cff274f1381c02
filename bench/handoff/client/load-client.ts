// SPDX-License-Identifier: Apache-2.0
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Ending, LoadReport, Order } from "./main.ts";

/** The load client, seen from the bench. */
export class LoadClient {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when all classes run. */
  static async start(order: Order): Promise<LoadClient> {
    const file = fileURLToPath(new URL("main.ts", import.meta.url));
    const child = fork(file, [JSON.stringify(order)], {
      execArgv: ["--conditions=@hot/source"],
      // Not JSON, which has no NaN.
      serialization: "advanced",
    });
    await message(child);
    return new LoadClient(child);
  }

  /** Begins no more, waits for what is under way, and tells what happened. */
  async stop(ending: Ending): Promise<LoadReport> {
    const report = message<LoadReport>(this.#child);
    this.#child.send(ending);
    return report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}

async function message<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code, signal) => reject(new Error(`the load client ended: ${code ?? signal}`)));
    child.once("message", (value) => resolve(value as T));
  });
}
