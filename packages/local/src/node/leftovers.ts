// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startTimeOf } from "./process.ts";

/**
 * The processes of a node, on disk: one line `pid start-time` each. A node that was killed finds them at its next start and
 * ends those that still run. The start time makes sure that a number which the kernel gave to somebody else is let alone.
 */
export class Leftovers {
  readonly #file: string;

  constructor(dir: string) {
    this.#file = join(dir, "processes");
  }

  /** Ends what an earlier node in this folder left behind, and begins an empty list. */
  clean(): void {
    for (const line of this.#lines()) {
      const [pid, started] = line.split(" ");
      if (started === undefined || startTimeOf(Number(pid)) !== started) continue;
      try {
        process.kill(-Number(pid), "SIGKILL");
      } catch {
        // it ended in the meantime
      }
    }
    writeFileSync(this.#file, "");
  }

  add(pid: number): void {
    const started = startTimeOf(pid);
    if (started !== undefined) appendFileSync(this.#file, `${pid} ${started}\n`);
  }

  remove(): void {
    rmSync(this.#file, { force: true });
  }

  #lines(): string[] {
    try {
      return readFileSync(this.#file, "utf8").split("\n");
    } catch {
      return [];
    }
  }
}
